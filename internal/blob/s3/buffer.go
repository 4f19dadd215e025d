package s3

import (
	"crypto/sha256"
	"io"
	"sync"
)

// minPart is the least that the service takes as a part that is not the last.
const minPart = 5 << 20

// partSize returns how long the part that begins at offset is to be. 10,000
// parts, the most there may be, hold 5 TiB that way, and the state stays below
// 64 KiB for every 10 GiB. It is what one upload holds in memory: 5 MiB in its
// first GiB, 12 MiB up to 48 GiB; beyond, the parts must grow with the upload.
func partSize(offset int64) int {
	const mebi, gibi = 1 << 20, 1 << 30
	switch {
	case offset < gibi:
		return minPart
	case offset < 48*gibi:
		return 12 * mebi
	}
	return int((offset/1100 + mebi) / mebi * mebi)
}

const segment = 256 << 10

// segments are shared by all uploads of the process.
var segments = sync.Pool{New: func() any { return new([segment]byte) }}

// buffer gathers the bytes of a part. It takes memory as they come, so that a
// slow or short upload holds little.
type buffer struct {
	segs []*[segment]byte
	n    int
}

func (b *buffer) append(p []byte) {
	for len(p) > 0 {
		if b.n == len(b.segs)*segment {
			b.segs = append(b.segs, segments.Get().(*[segment]byte))
		}
		n := copy(b.segs[b.n/segment][b.n%segment:], p)
		b.n += n
		p = p[n:]
	}
}

// ReadFrom appends r to its end.
func (b *buffer) ReadFrom(r io.Reader) (int64, error) {
	for start := b.n; ; {
		if b.n == len(b.segs)*segment {
			b.segs = append(b.segs, segments.Get().(*[segment]byte))
		}
		n, err := r.Read(b.segs[b.n/segment][b.n%segment:])
		b.n += n
		if err == io.EOF {
			return int64(b.n - start), nil
		}
		if err != nil {
			return int64(b.n - start), err
		}
	}
}

// ReadAt implements io.ReaderAt.
func (b *buffer) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) {
		offset := int(at) + n
		if offset >= b.n {
			return n, io.EOF
		}
		seg := b.segs[offset/segment][:min(segment, b.n-offset/segment*segment)]
		n += copy(p[n:], seg[offset%segment:])
	}
	return n, nil
}

func (b *buffer) sum() [32]byte {
	h := sha256.New()
	for left, i := b.n, 0; left > 0; i++ {
		n := min(left, segment)
		_, _ = h.Write(b.segs[i][:n])
		left -= n
	}
	return [32]byte(h.Sum(nil))
}

// free gives the memory back; b is empty then.
func (b *buffer) free() {
	for _, s := range b.segs {
		segments.Put(s)
	}
	*b = buffer{}
}
