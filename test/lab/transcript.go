package lab

import (
	"bytes"
	"sync"
)

// A transcript keeps what a command writes, in the order of its arrival, and
// its standard output once more. It is written to as standard error.
type transcript struct {
	mu       sync.Mutex
	out, all bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// stdout is the standard output of a transcript.
type stdout struct{ *transcript }

func (s stdout) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Write(p)
	return s.all.Write(p)
}
