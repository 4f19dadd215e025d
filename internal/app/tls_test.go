package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/config"
)

// writeCert makes a certificate for localhost with the given serial number.
func writeCert(t *testing.T, certFile, keyFile string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	pool.AddCert(must(x509.ParseCertificate(der))(t))
	return pool
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func tlsConfig(t *testing.T) (*config.Config, *x509.CertPool) {
	t.Helper()
	cfg := testConfig(t)
	cfg.TLS.CertFile, cfg.TLS.KeyFile = filepath.Join(cfg.Data, "cert.pem"), filepath.Join(cfg.Data, "key.pem")
	return cfg, writeCert(t, cfg.TLS.CertFile, cfg.TLS.KeyFile, 1)
}

func httpsClient(t *testing.T, roots *x509.CertPool, http2 bool) *http.Client {
	t.Helper()
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestTLSFromFiles(t *testing.T) {
	t.Parallel()
	cfg, roots := tlsConfig(t)
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	for _, http2 := range []bool{true, false} {
		res, err := httpsClient(t, roots, http2).Get("https://" + r.addr + "/v2/")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if want := map[bool]int{true: 2, false: 1}[http2]; res.ProtoMajor != want || res.StatusCode != 200 {
			t.Errorf("%s, want HTTP/%d: %d", res.Proto, want, res.StatusCode)
		}
		if res.Header.Get("Strict-Transport-Security") == "" {
			t.Error("no Strict-Transport-Security")
		}
	}
	_, err := tls.Dial("tcp", r.addr, &tls.Config{RootCAs: roots, MaxVersion: tls.VersionTLS11})
	if err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	// What follows a chunked request over TLS is not read as a request.
	c := must(tls.Dial("tcp", r.addr, &tls.Config{RootCAs: roots, NextProtos: []string{"http/1.1"}}))(t)
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "PUT /v2/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2/x HTTP/1.1\r\nHost: a\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(must(io.ReadAll(c))(t)); strings.Count(text, "HTTP/1.1 ") != 1 {
		t.Errorf("two answers to an ambiguous request:\n%s", text)
	}
}

func TestCertificateForOtherHostsIsReported(t *testing.T) {
	t.Parallel()
	cfg, _ := tlsConfig(t) // for localhost
	cfg.URL, cfg.SubdomainIsolation = "https://localhost", true
	log := start(t, cfg, Handlers{}, nil).lastWords(t)
	for host, missing := range map[string]bool{"localhost": false, "containers.localhost": true, "docker.localhost": true} {
		if strings.Contains(log, `"host":"`+host+`"`) != missing {
			t.Errorf("%s: a warning is %v in\n%s", host, missing, log)
		}
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	cfg, _ := tlsConfig(t)
	var now atomic.Int64
	log := &syncBuffer{}
	logger, flush := NewLogger(cfg.Log, log)
	files := &certFiles{cert: cfg.TLS.CertFile, key: cfg.TLS.KeyFile, log: logger, now: func() time.Time { return time.Unix(now.Load(), 0) }}
	if err := files.load(); err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		now.Add(2)
		return must(files.get(nil))(t).Leaf.SerialNumber.Int64()
	}
	if n := serial(); n != 1 {
		t.Fatalf("serial %d", n)
	}
	old := must(os.ReadFile(cfg.TLS.KeyFile))(t)
	writeCert(t, cfg.TLS.CertFile, cfg.TLS.KeyFile, 2)
	fresh := must(os.ReadFile(cfg.TLS.KeyFile))(t)
	// Halfway through an exchange, certificate and key do not fit.
	if err := os.WriteFile(cfg.TLS.KeyFile, append(old, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 1 {
		t.Errorf("with half an exchange, serial %d", n)
	}
	if err := os.Remove(cfg.TLS.KeyFile); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 1 {
		t.Errorf("without a key, serial %d", n)
	}
	if err := os.WriteFile(cfg.TLS.KeyFile, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := serial(); n != 2 {
		t.Errorf("after the exchange, serial %d", n)
	}
	flush()
	if text := log.String(); !strings.Contains(text, "the old one stays") || !strings.Contains(text, "certificate loaded") {
		t.Errorf("log:\n%s", text)
	}
}

func TestBrokenCertificateStopsTheStart(t *testing.T) {
	t.Parallel()
	cfg, _ := tlsConfig(t)
	if err := os.WriteFile(cfg.TLS.CertFile, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Serve(t.Context(), cfg, Serving{Log: discard(), Metrics: NewMetrics("test"), NewID: func() string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "tls.cert_file") {
		t.Errorf("error is %v", err)
	}
}

func TestSilentTLSHandshakeIsCut(t *testing.T) {
	t.Parallel()
	cfg, _ := tlsConfig(t)
	cfg.HTTP.ReadHeaderTimeout = 100 * time.Millisecond
	r := start(t, cfg, Handlers{}, nil)
	if _, err := io.ReadAll(r.raw(t, "\x16\x03\x01")); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection was not closed: %v", err)
	}
}

// A stream that nobody reads is cut, though its connection is alive.
func TestSlowHTTP2ReaderIsCut(t *testing.T) {
	t.Parallel()
	cfg, roots := tlsConfig(t)
	cfg.HTTP.DownloadIdle = 100 * time.Millisecond
	failed := make(chan error, 1)
	r := start(t, cfg, Handlers{Registry: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(w, io.LimitReader(zeros{}, 1<<30))
		failed <- err
	})}, nil)
	res, err := httpsClient(t, roots, true).Get("https://" + r.addr + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := <-failed; err == nil {
		t.Error("a gigabyte was sent to a client that reads nothing")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A silent upload on HTTP/2 is cut as well.
func TestSilentHTTP2UploadIsCut(t *testing.T) {
	t.Parallel()
	cfg, roots := tlsConfig(t)
	cfg.HTTP.UploadIdle = 100 * time.Millisecond
	failed := make(chan error, 1)
	r := start(t, cfg, Handlers{Registry: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		failed <- err
	})}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	body, feed := io.Pipe()
	defer func() { _ = feed.Close() }()
	req := must(http.NewRequestWithContext(ctx, http.MethodPut, "https://"+r.addr+"/v2/", body))(t)
	go func() {
		if res, err := httpsClient(t, roots, true).Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "no byte of the request body arrived") {
		t.Errorf("the upload ended with %v", err)
	}
}
