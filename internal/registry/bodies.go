package registry

import (
	"bytes"
	"errors"
	"io"
)

// boundedReader fails with over once more than left bytes have come.
type boundedReader struct {
	r    io.Reader
	left int64
	over error
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		return 0, b.over
	}
	b.left -= int64(n)
	return n, err
}

// readSmall reads up to limit bytes. done is true when r ended within them;
// otherwise head holds one byte more than limit and r has the rest.
func readSmall(r io.Reader, limit int) (head []byte, done bool, err error) {
	head = make([]byte, 0, min(limit+1, 4096))
	for len(head) <= limit {
		if len(head) == cap(head) {
			head = append(head, 0)[:len(head)]
		}
		n, err := r.Read(head[len(head):min(cap(head), limit+1)])
		head = head[:len(head)+n]
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return head, len(head) <= limit, nil
		}
		if err != nil {
			return head, false, err
		}
	}
	return head, false, nil
}

func bytesReader(parts ...[]byte) io.Reader {
	return bytes.NewReader(bytes.Join(parts, nil))
}
