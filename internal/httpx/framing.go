package httpx

import (
	"bytes"
	"strconv"
	"strings"
)

// framing follows the bytes of an HTTP/1 connection far enough to see requests
// that two servers could cut apart differently: Content-Length twice or beside
// Transfer-Encoding, folded header lines, and lines that end without a carriage
// return. The server behind it drops the Content-Length of such a request, so a
// handler can no longer tell.
//
// It needs no more of a request than where its body ends. Where a request is so
// broken that the server closes the connection, it stops looking.
type framing struct {
	state  framingState
	line   []byte // the line so far, cut at maxFramingLine
	long   bool   // the line was cut
	remain int64  // bytes of body or chunk to skip
	first  bool   // the request line is behind us
	length int64  // Content-Length; -1: none
	te     bool
	odd    bool
}

type framingState int

const (
	inHeader framingState = iota
	inBody
	inChunkSize
	inChunk
	inTrailer
	lost
)

// maxFramingLine covers the longest header line that matters here.
const maxFramingLine = 128

// feed takes the next bytes and reports whether an ambiguous request has been
// seen on the connection.
func (f *framing) feed(p []byte) bool {
	for len(p) > 0 && f.state != lost {
		if f.state == inBody || f.state == inChunk {
			n := min(int64(len(p)), f.remain)
			p, f.remain = p[n:], f.remain-n
			if f.remain == 0 {
				f.endBody()
			}
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			f.keep(p)
			break
		}
		line := p[:end]
		if len(f.line) > 0 || end > maxFramingLine {
			f.keep(line)
			line = f.line
		}
		p = p[end+1:]
		f.endLine(line)
		f.line, f.long = f.line[:0], false
	}
	return f.odd
}

func (f *framing) keep(p []byte) {
	if room := maxFramingLine - len(f.line); len(p) > room {
		// The end of a long line decides whether it had a carriage return.
		f.line = append(f.line, p[:room]...)
		f.line[maxFramingLine-1] = p[len(p)-1]
		f.long = true
		return
	}
	f.line = append(f.line, p...)
}

func (f *framing) endBody() {
	if f.state == inBody {
		f.startHeader()
		return
	}
	f.state = inChunkSize
}

func (f *framing) startHeader() {
	f.state, f.first, f.te, f.length = inHeader, false, false, -1
}

func (f *framing) endLine(line []byte) {
	text, whole := bytes.CutSuffix(line, []byte{'\r'})
	switch f.state {
	case inHeader:
		f.odd = f.odd || !whole && (f.first || len(text) > 0)
		f.headerLine(text)
	case inChunkSize:
		f.odd = f.odd || !whole
		f.chunkLine(text)
	case inTrailer:
		f.odd = f.odd || !whole
		if len(text) == 0 {
			f.startHeader()
		}
	}
}

func (f *framing) headerLine(text []byte) {
	if !f.first {
		if len(text) > 0 { // empty lines before a request are skipped, as the server does
			f.startHeader()
			f.first = true
		}
		return
	}
	if len(text) == 0 {
		f.endHeader()
		return
	}
	switch text[0] {
	case ' ', '\t':
		f.odd = true
	case 't', 'T':
		name, _, _ := bytes.Cut(text, []byte{':'})
		f.te = f.te || strings.EqualFold(string(name), "Transfer-Encoding")
	case 'c', 'C':
		name, value, _ := bytes.Cut(text, []byte{':'})
		if strings.EqualFold(string(name), "Content-Length") {
			f.setLength(value)
		}
	}
}

func (f *framing) setLength(value []byte) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
	if err != nil || n < 0 || f.long {
		f.state = lost // the server refuses it
		return
	}
	f.odd = f.odd || f.length >= 0
	f.length = n
}

func (f *framing) endHeader() {
	switch {
	case f.te && f.length >= 0:
		f.odd = true
		f.state = lost
	case f.te:
		f.state = inChunkSize
	case f.length > 0:
		f.state, f.remain = inBody, f.length
	default:
		f.startHeader()
	}
}

func (f *framing) chunkLine(text []byte) {
	size, _, _ := bytes.Cut(text, []byte{';'})
	n, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 64)
	switch {
	case err != nil || n < 0 || n > 1<<60:
		f.state = lost
	case n == 0:
		f.state = inTrailer
	default:
		f.state, f.remain = inChunk, n+2
	}
}
