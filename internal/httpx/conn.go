package httpx

import (
	"context"
	"crypto/tls"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener accepts connections that cut clients which stop reading, and bounds
// how many are open. It must come below TLS. Safe for concurrent use.
type Listener struct {
	*net.TCPListener
	writeIdle time.Duration
	plain     bool
	places    chan struct{}
	closing   chan struct{}
	closeOnce sync.Once

	mu    sync.Mutex
	conns map[*Conn]struct{}
}

// ListenerOptions are the limits of a Listener.
type ListenerOptions struct {
	// WriteIdle is how long the network may take no bytes of a response.
	WriteIdle time.Duration
	// Places bounds how many are open at once by its capacity; more wait in
	// the kernel. Listeners may share it.
	Places chan struct{}
	// Plain says that HTTP is spoken without TLS: headers are then watched for
	// ambiguous framing.
	Plain bool
}

// NewListener wraps l, which it owns from now on.
func NewListener(l *net.TCPListener, o ListenerOptions) *Listener {
	return &Listener{
		TCPListener: l,
		writeIdle:   o.WriteIdle,
		plain:       o.Plain,
		places:      o.Places,
		closing:     make(chan struct{}),
		conns:       map[*Conn]struct{}{},
	}
}

// Accept waits for a free place, then for a connection.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closing:
		return nil, net.ErrClosed
	}
	tcp, err := l.AcceptTCP()
	if err != nil {
		<-l.places
		return nil, err
	}
	c := &Conn{TCPConn: tcp, listener: l}
	if l.plain {
		c.framing = &framing{}
	}
	l.mu.Lock()
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	return c, nil
}

// Places returns the bound that the listener was given.
func (l *Listener) Places() chan struct{} { return l.places }

// Close stops accepting; open connections stay.
func (l *Listener) Close() error {
	l.closeOnce.Do(func() { close(l.closing) })
	return l.TCPListener.Close()
}

// DropWithoutUpload closes every connection on which no request body is on its
// way, and returns how many it closed.
func (l *Listener) DropWithoutUpload() int {
	var drop []*Conn
	l.mu.Lock()
	for c := range l.conns {
		if c.uploads.Load() == 0 {
			drop = append(drop, c)
		}
	}
	l.mu.Unlock()
	for _, c := range drop { // outside of the lock: Close takes it
		_ = c.Close()
	}
	return len(drop)
}

func (l *Listener) forget(c *Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	<-l.places
}

// Conn is a connection of a Listener. It embeds the TCP connection so that the
// server finds CloseWrite and ReadFrom.
type Conn struct {
	*net.TCPConn
	listener  *Listener
	framing   *framing
	ambiguous atomic.Bool
	uploads   atomic.Int32
	renewed   atomic.Int64 // when the write deadline was set, in ns
	closeOnce sync.Once
}

// writeChunk is how much one write deadline covers: with the default of 60 s a
// client must take 9 KiB a second.
const writeChunk = 512 << 10

// renew moves the write deadline on. It is set at most 16 times in one idle
// time, so a busy connection hardly pays for it.
func (c *Conn) renew() error {
	now := time.Now()
	if now.UnixNano()-c.renewed.Load() < int64(c.listener.writeIdle/16) {
		return nil
	}
	c.renewed.Store(now.UnixNano())
	return c.SetWriteDeadline(now.Add(c.listener.writeIdle))
}

// Read reads, and watches the framing of requests on the way.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if c.framing != nil && c.framing.feed(p[:n]) {
		c.ambiguous.Store(true)
	}
	return n, err
}

// Write writes p; each part of it has the whole idle time.
func (c *Conn) Write(p []byte) (int, error) {
	total := 0
	for {
		if err := c.renew(); err != nil {
			return total, err
		}
		n, err := c.TCPConn.Write(p[total:min(len(p), total+writeChunk)])
		total += n
		if err != nil || total == len(p) {
			return total, err
		}
	}
}

// ReadFrom sends src by sendfile where the kernel can, one deadline a chunk.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	left, ok := src.(*io.LimitedReader)
	if !ok {
		left = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	var total int64
	for left.N > 0 {
		if err := c.renew(); err != nil {
			return total, err
		}
		// One LimitedReader around the file: the kernel's way is not found
		// behind two.
		chunk := io.LimitedReader{R: left.R, N: min(left.N, writeChunk)}
		want := chunk.N
		n, err := c.TCPConn.ReadFrom(&chunk)
		total += n
		left.N -= n
		if err != nil || n < want {
			return total, err
		}
	}
	return total, nil
}

// Close closes the connection and frees its place.
func (c *Conn) Close() error {
	err := c.TCPConn.Close()
	c.closeOnce.Do(func() { c.listener.forget(c) })
	return err
}

type connKey struct{}

// ConnContext is for http.Server.ConnContext; it lets requests find their Conn.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if conn, ok := c.(*Conn); ok {
		return context.WithValue(ctx, connKey{}, conn)
	}
	return ctx
}

func connFrom(ctx context.Context) *Conn {
	c, _ := ctx.Value(connKey{}).(*Conn)
	return c
}
