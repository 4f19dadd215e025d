package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// role says what a listener is for.
type role int

const (
	registryRole role = iota
	metricsRole
	challengeRole
)

// listener is one open socket and the server behind it.
type listener struct {
	*httpx.Listener
	server *http.Server
	role   role
	tls    bool
}

func (l *listener) close() {
	_ = l.server.Close()   // what is wrong with a dying connection helps nobody
	_ = l.Listener.Close() // not yet known to the server if it never ran
}

// httpServer returns a server with the limits that hold for every listener.
// There is no read or write timeout: an upload may take hours. Bodies and
// responses have rolling limits of their own, see httpx.
func (srv *server) httpServer(h http.Handler, cert *tls.Config) *http.Server {
	return &http.Server{
		Handler:           h,
		TLSConfig:         cert,
		ReadHeaderTimeout: srv.cfg.HTTP.ReadHeaderTimeout,
		IdleTimeout:       srv.cfg.HTTP.IdleTimeout,
		MaxHeaderBytes:    int(srv.cfg.HTTP.MaxHeaderSize),
		ConnContext:       httpx.ConnContext,
		ErrorLog:          slog.NewLogLogger(srv.log.Handler(), slog.LevelDebug), // noise of the network
	}
}

// listenRegistry opens the main address on every loopback when it says localhost.
func (srv *server) listenRegistry() error {
	host, port, err := net.SplitHostPort(srv.cfg.Listen)
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "listen: must be HOST:PORT")
	}
	if host != "localhost" {
		return srv.listen(registryRole, srv.cfg.Listen, srv.main)
	}
	if err := srv.listen(registryRole, net.JoinHostPort("127.0.0.1", port), srv.main); err != nil {
		return err
	}
	chosen := srv.sockets[0].Addr().(*net.TCPAddr).Port // the same one, also when the system chose it
	err = srv.listen(registryRole, net.JoinHostPort("::1", strconv.Itoa(chosen)), srv.main)
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || port == "0" {
		return nil // a machine without IPv6; or the chosen port is taken there, which nobody asked for
	}
	return err
}

func (srv *server) listen(role role, address string, h *http.Server) error {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return errs.Wrap(errs.Unavailable, err, "cannot listen on %s: %v", address, err)
	}
	withTLS := h.TLSConfig != nil
	socket := httpx.NewListener(l.(*net.TCPListener), httpx.ListenerOptions{
		WriteIdle: srv.cfg.HTTP.DownloadIdle,
		Places:    srv.places(role),
		Plain:     !withTLS,
	})
	if role == registryRole {
		srv.sockets = append(srv.sockets, socket)
	}
	srv.listeners = append(srv.listeners, &listener{Listener: socket, server: h, role: role, tls: withTLS})
	return nil
}

// sidePlaces is enough for probes, scrapes and challenges.
const sidePlaces = 100

// places bounds the connections of a listener. Those of the registry share one
// bound.
func (srv *server) places(r role) chan struct{} {
	if r != registryRole {
		return make(chan struct{}, sidePlaces)
	}
	if len(srv.sockets) > 0 {
		return srv.sockets[0].Places()
	}
	n := srv.cfg.HTTP.MaxConnections
	if n == 0 {
		n = connectionsFor(openFiles())
	}
	return make(chan struct{}, n)
}

func (srv *server) addresses() Addresses {
	var a Addresses
	for _, l := range srv.listeners {
		text := l.Addr().String()
		switch l.role {
		case registryRole:
			a.Registry = append(a.Registry, text)
		case metricsRole:
			a.Metrics = text
		case challengeRole:
			a.Challenge = text
		}
	}
	return a
}
