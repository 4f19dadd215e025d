package main

import (
	"fmt"
	"io"
	"time"
)

// progressLine tells how far long work has come: on a terminal in one line that
// is written anew, elsewhere in a record every ten seconds.
type progressLine struct {
	err      io.Writer
	terminal bool
	now      func() time.Time
	last     time.Time
	written  bool
}

func newProgress(w io.Writer) *progressLine {
	return &progressLine{err: w, terminal: atTerminalOut(w), now: time.Now, last: time.Now()}
}

// show says what is done, as text for people and as the name of a record's field.
func (p *progressLine) show(phase string, done int64) {
	now := p.now()
	switch {
	case p.terminal && now.Sub(p.last) >= 100*time.Millisecond:
		fmt.Fprintf(p.err, "\r\x1b[K%s: %d", phase, done)
		p.last, p.written = now, true
	case !p.terminal && now.Sub(p.last) >= 10*time.Second:
		fmt.Fprintf(p.err, `{"msg":"progress","phase":%q,"done":%d}`+"\n", phase, done)
		p.last = now
	}
}

// clear takes the line away, before something else is written.
func (p *progressLine) clear() {
	if p.written {
		fmt.Fprint(p.err, "\r\x1b[K")
		p.written = false
	}
}
