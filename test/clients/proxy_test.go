package clients_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A proxy is a TCP proxy before the registry that counts the bytes sent to it,
// and cuts the first connection that has carried a limit of them.
type proxy struct {
	addr string
	to   string
	sent atomic.Int64 // bytes from clients
	cuts atomic.Int64 // connections to cut
	did  atomic.Int64 // connections cut
	// after is how many bytes a connection carries until it is cut.
	after int64
}

// newProxy starts a proxy to the registry that cuts the given number of
// connections after so many bytes.
func newProxy(t *testing.T, to string, cuts, after int64) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), to: to, after: after}
	p.cuts.Store(cuts)
	var open sync.WaitGroup
	conns := make(chan struct{})
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { p.serve(c, conns) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		close(conns)
		open.Wait()
	})
	return p
}

// serve carries one connection until either side or the test ends it.
func (p *proxy) serve(down net.Conn, end <-chan struct{}) {
	defer down.Close()
	up, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer up.Close()
	over := make(chan struct{}, 2)
	go func() {
		io.Copy(down, up)
		over <- struct{}{}
	}()
	go func() {
		p.carry(up, down)
		over <- struct{}{}
	}()
	select {
	case <-over:
	case <-end:
	}
}

// carry copies from the client. A cut is a reset to both sides in the midst of
// what is sent.
func (p *proxy) carry(up, down net.Conn) {
	buf := make([]byte, 32<<10)
	for total := int64(0); ; {
		n, err := down.Read(buf)
		total += int64(n)
		p.sent.Add(int64(n))
		if total > p.after && p.cuts.Add(-1) >= 0 {
			p.did.Add(1)
			down.(*net.TCPConn).SetLinger(0)
			up.(*net.TCPConn).SetLinger(0)
			return
		}
		if _, werr := up.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// mustHaveCut fails the test if nothing was cut, since then it showed nothing.
func (p *proxy) mustHaveCut(t *testing.T) {
	t.Helper()
	if p.did.Load() == 0 {
		t.Error("the proxy cut no connection")
	}
}
