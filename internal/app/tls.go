package app

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// certificates is where TLS gets its certificates from.
type certificates struct {
	config     *tls.Config  // nil: no TLS
	challenges http.Handler // of HTTP-01; nil: none
}

func newCertificates(cfg *config.Config, store CertStore, log *slog.Logger) (certificates, error) {
	switch {
	case cfg.UsesACME():
		return newACME(cfg, store)
	case cfg.TLS.CertFile != "":
		files := &certFiles{cert: cfg.TLS.CertFile, key: cfg.TLS.KeyFile, hosts: cfg.Hosts(), log: log, now: time.Now}
		if err := files.load(); err != nil {
			return certificates{}, errs.Wrap(errs.Invalid, err, "tls.cert_file: the certificate cannot be used: %v", err)
		}
		return certificates{config: &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS12}}, nil
	default:
		return certificates{}, nil
	}
}

// certFiles serves the certificate in two files, and a new one soon after they
// change. A change that cannot be used leaves the old one in place: whoever
// replaces two files does it in two steps.
type certFiles struct {
	cert, key string
	hosts     []string // that it should be for
	log       *slog.Logger
	now       func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	state   [2]fileState
	checked time.Time
}

type fileState struct {
	modified time.Time
	size     int64
}

// certCheckEvery bounds how often the files are looked at.
const certCheckEvery = time.Second

func (c *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.checked) >= certCheckEvery {
		c.checked = now
		c.reload()
	}
	return c.current, nil
}

func (c *certFiles) reload() {
	state, err := c.look()
	if err == nil && state == c.state {
		return
	}
	if err == nil {
		err = c.load()
	}
	if err != nil {
		c.log.Error("the new certificate cannot be used, the old one stays", "file", c.cert, "error", err.Error())
		c.state = state // say it once a change, not once a second
		return
	}
	c.log.Info("certificate loaded", "file", c.cert, "until", c.current.Leaf.NotAfter)
}

func (c *certFiles) look() ([2]fileState, error) {
	var state [2]fileState
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return state, err
		}
		state[i] = fileState{info.ModTime(), info.Size()}
	}
	return state, nil
}

// load reads both files. Their state is taken before, so that a change in
// between is seen the next time.
func (c *certFiles) load() error {
	state, err := c.look()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.current, c.state, c.checked = &pair, state, c.now()
	for _, host := range c.hosts {
		if err := pair.Leaf.VerifyHostname(host); err != nil {
			c.log.Warn("the certificate is not for a host of this server: clients that connect directly will refuse it", "host", host, "file", c.cert)
		}
	}
	return nil
}
