package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
)

const (
	writePiece = 256 << 10 // bytes handed to the kernel at a time
	sendChunk  = 32 << 10  // chunk size of a streamed body, as Go clients send it
)

// conn is one keep-alive HTTP/1.1 connection. It parses only what a registry
// client needs, so that the client costs little of the processors it shares
// with the server. A conn is for one goroutine.
type conn struct {
	addr string
	nc   net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte // last small body; reused
	big  []byte // scratch for large bodies
}

// request is one HTTP request. Header holds whole lines, each with its CRLF.
type request struct {
	method, path string
	header       string
	body         *payload
	from, to     int64     // the range of body that is sent; to 0 means all of it
	chunked      bool      // send the body without saying its length
	sink         io.Writer // where a large answer goes; nil keeps it in answer.body
}

// answer is what the harness looks at. Its body is valid until the next request.
type answer struct {
	status    int
	length    int64 // bytes of body received, or announced for HEAD
	location  string
	digest    string
	link      string
	challenge string
	body      []byte
}

// dial opens a connection to addr.
func dial(addr string) (*conn, error) {
	c := &conn{addr: addr}
	return c, c.reopen()
}

func (c *conn) reopen() error {
	nc, err := net.Dial("tcp", c.addr)
	if err != nil {
		return err
	}
	if c.nc != nil {
		_ = c.nc.Close()
	}
	c.nc, c.in = nc, bufio.NewReaderSize(nc, 16<<10)
	return nil
}

// close ends the connection.
func (c *conn) close() { _ = c.nc.Close() }

// errClosed says that the server closed the connection before it answered.
var errClosed = errors.New("connection closed before the answer")

// do sends one request and reads its whole answer. A server may close a
// connection that was idle for long, so it tries once more on a new one.
func (c *conn) do(r request) (answer, error) {
	a, err := c.once(r)
	if errors.Is(err, errClosed) {
		if err := c.reopen(); err != nil {
			return answer{}, err
		}
		return c.once(r)
	}
	return a, err
}

func (c *conn) once(r request) (answer, error) {
	if err := c.send(r); err != nil {
		// A server may refuse before it has read the body: its answer says more.
		if a, readErr := c.receive(r); readErr == nil && a.status >= 400 {
			return a, c.reopen()
		}
		return answer{}, fmt.Errorf("%s %s: %w: send: %w", r.method, r.path, errClosed, err)
	}
	a, err := c.receive(r)
	if err != nil {
		return answer{}, fmt.Errorf("%s %s: receive: %w", r.method, r.path, err)
	}
	return a, nil
}

func (c *conn) send(r request) error {
	to := r.to
	if r.body != nil && to == 0 {
		to = r.body.size
	}
	out := append(c.out[:0], r.method...)
	out = append(append(append(out, ' '), r.path...), " HTTP/1.1\r\nHost: "...)
	out = append(append(append(out, c.addr...), "\r\n"...), r.header...)
	switch {
	case r.chunked:
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	case r.body != nil || r.method == "POST" || r.method == "PUT":
		out = strconv.AppendInt(append(out, "Content-Length: "...), to-r.from, 10)
		out = append(out, "\r\n"...)
	}
	out = append(out, "\r\n"...)
	small := r.body != nil && !r.chunked && to-r.from <= sendChunk
	for off := r.from; small && off < to; {
		piece := r.body.at(off, to-off)
		out = append(out, piece...)
		off += int64(len(piece))
	}
	c.out = out
	if _, err := c.nc.Write(out); err != nil || r.body == nil || small {
		return err
	}
	if r.chunked {
		return c.sendChunked(*r.body)
	}
	for off := r.from; off < to; {
		piece := r.body.at(off, min(writePiece, to-off))
		if _, err := c.nc.Write(piece); err != nil {
			return err
		}
		off += int64(len(piece))
	}
	return nil
}

// sendChunked writes the payload in chunks, several with one system call.
func (c *conn) sendChunked(p payload) error {
	crlf := []byte("\r\n")
	for off := int64(0); off < p.size; {
		var batch net.Buffers
		for held := 0; held < writePiece && off < p.size; {
			piece := p.at(off, sendChunk)
			batch = append(batch, fmt.Appendf(nil, "%x\r\n", len(piece)), piece, crlf)
			off += int64(len(piece))
			held += len(piece)
		}
		if _, err := batch.WriteTo(c.nc); err != nil {
			return err
		}
	}
	_, err := c.nc.Write([]byte("0\r\n\r\n"))
	return err
}

func (c *conn) receive(r request) (answer, error) {
	var a answer
	for a.status < 200 { // interim answers come first
		var err error
		if a, err = c.receiveOne(r); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (c *conn) receiveOne(r request) (answer, error) {
	if _, err := c.in.Peek(1); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errClosed, err)
	}
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return answer{}, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return answer{}, fmt.Errorf("not an HTTP answer: %.40q", line)
	}
	a := answer{length: -1}
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, err
	}
	chunked, last, err := c.headers(&a)
	if err != nil {
		return a, err
	}
	if r.method == "HEAD" || a.status == 204 || a.status == 304 || a.status < 200 {
		return a, c.after(last)
	}
	if a.length < 0 && !chunked {
		return a, errors.New("answer without a length")
	}
	if err := c.readBody(&a, r.sink, chunked); err != nil {
		return a, err
	}
	return a, c.after(last)
}

func (c *conn) after(last bool) error {
	if last {
		return c.reopen()
	}
	return nil
}

// headers reads the header lines up to the empty one.
func (c *conn) headers(a *answer) (chunked, last bool, err error) {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return false, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return chunked, last, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case named(name, "Content-Length"):
			if a.length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return false, false, err
			}
		case named(name, "Transfer-Encoding"):
			chunked = named(value, "chunked")
		case named(name, "Connection"):
			last = named(value, "close")
		case named(name, "Location"):
			a.location = string(value)
		case named(name, "Docker-Content-Digest"):
			a.digest = string(value)
		case named(name, "Link"):
			a.link = string(value)
		case named(name, "Www-Authenticate"):
			a.challenge = string(value)
		}
	}
}

func named(b []byte, want string) bool {
	return len(b) == len(want) && bytes.EqualFold(b, []byte(want))
}

// readBody takes in exactly one body and leaves its length in a.
func (c *conn) readBody(a *answer, sink io.Writer, chunked bool) error {
	var from io.Reader = io.LimitReader(c.in, a.length)
	if chunked {
		from = httputil.NewChunkedReader(c.in)
	}
	if sink == nil {
		if err := c.readSmall(a, from, chunked); err != nil {
			return err
		}
	} else {
		if c.big == nil {
			c.big = make([]byte, writePiece)
		}
		n, err := io.CopyBuffer(onlyWriter{sink}, from, c.big)
		if err != nil {
			return err
		}
		if !chunked && n != a.length {
			return io.ErrUnexpectedEOF
		}
		a.length = n
	}
	if chunked { // the chunked reader leaves the line after the last chunk
		_, err := c.in.ReadSlice('\n')
		return err
	}
	return nil
}

func (c *conn) readSmall(a *answer, from io.Reader, chunked bool) error {
	if chunked {
		body, err := io.ReadAll(from)
		a.body, a.length = body, int64(len(body))
		return err
	}
	if int64(cap(c.body)) < a.length {
		c.body = make([]byte, a.length)
	}
	a.body = c.body[:a.length]
	_, err := io.ReadFull(from, a.body)
	return err
}

// onlyWriter hides a ReadFrom method, so that io.CopyBuffer uses its buffer.
type onlyWriter struct{ io.Writer }
