package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"sync"
	"sync/atomic"
)

const (
	blockSize = 1 << 20
	tailSize  = 64
)

// source makes blobs that differ from each other and from those of any other
// run, without the client paying to generate or hash them: all share one
// random block, repeated, and end in a tail of their own. It is safe for
// concurrent use.
type source struct {
	block  []byte
	serial atomic.Uint64

	mu       sync.Mutex
	prefixes map[int64][]byte // hash state before the tail, by blob size
}

// newSource returns a source with a fresh random block.
func newSource() (*source, error) {
	s := &source{block: make([]byte, blockSize), prefixes: map[int64][]byte{}}
	if _, err := rand.Read(s.block); err != nil {
		return nil, err
	}
	return s, nil
}

// payload is the content of one blob. Its methods do not change it.
type payload struct {
	block  []byte
	tail   []byte
	size   int64
	digest string
}

// blob returns a payload of size bytes, at least tailSize, that was never
// returned before.
func (s *source) blob(size int64) (payload, error) {
	tail := make([]byte, tailSize)
	copy(tail, s.block)
	binary.BigEndian.PutUint64(tail, s.serial.Add(1))
	h, err := s.prefix(size - tailSize)
	if err != nil {
		return payload{}, err
	}
	h.Write(tail)
	return payload{
		block: s.block, tail: tail, size: size,
		digest: "sha256:" + hex.EncodeToString(h.Sum(nil)),
	}, nil
}

// prefix returns a hash that has taken in the first n bytes that all blobs of
// one size share.
func (s *source) prefix(n int64) (hash.Hash, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := sha256.New()
	if state, ok := s.prefixes[n]; ok {
		return h, h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
	}
	for left := n; left > 0; {
		part := s.block[:min(left, blockSize)]
		h.Write(part)
		left -= int64(len(part))
	}
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	s.prefixes[n] = state
	return h, nil
}

// bytesPayload wraps small content that the caller made, such as a manifest.
func bytesPayload(content []byte) payload {
	return payload{tail: content, size: int64(len(content)), digest: digestOf(content)}
}

// digestOf returns the sha256 digest of content in registry form.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// at returns the longest piece of the payload that starts at off and is not
// longer than n; it shares memory with the payload.
func (p payload) at(off, n int64) []byte {
	body := p.size - int64(len(p.tail))
	if off >= body {
		piece := p.tail[off-body:]
		return piece[:min(n, int64(len(piece)))]
	}
	start := off % blockSize
	return p.block[start : start+min(n, blockSize-start, body-off)]
}
