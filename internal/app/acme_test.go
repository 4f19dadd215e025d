package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/dns/dnsmessage"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

const acmeHost = "packages.test.example"

// authority is a running ACME server.
type authority struct {
	directory string
	caFile    string
	port      int
	manage    int
	client    *http.Client
}

// reserve finds where the authority will listen, before there is one: the
// server under test must know its address first.
func reserve(t *testing.T) *authority {
	t.Helper()
	a := &authority{caFile: filepath.Join(t.TempDir(), "ca.pem"), port: freePort(t), manage: freePort(t)}
	a.directory = fmt.Sprintf("https://127.0.0.1:%d/dir", a.port)
	roots := writeCert(t, a.caFile, a.caFile+".key", 1)
	a.client = httpsClient(t, roots, false)
	return a
}

func freePort(t *testing.T) int {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// run starts the authority; it looks for challenges at the given ports of
// every host.
func (a *authority) run(t *testing.T, httpPort, tlsPort int) {
	t.Helper()
	program, err := filepath.Abs("../../.tools/bin/pebble")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%s is missing: run make tools", program)
	}
	text := must(json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":           fmt.Sprintf("127.0.0.1:%d", a.port),
		"managementListenAddress": fmt.Sprintf("127.0.0.1:%d", a.manage),
		"certificate":             a.caFile, "privateKey": a.caFile + ".key",
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": 7776000}},
	}}))(t)
	file := filepath.Join(t.TempDir(), "pebble.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-config", file, "-dnsserver", dnsServer(t), "-strict")
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20")
	out := must(cmd.StdoutPipe())(t)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "ACME directory available") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			a.waitUntilItAnswers(t)
			return
		}
	}
	t.Fatal("the ACME server did not start")
}

func (a *authority) waitUntilItAnswers(t *testing.T) {
	t.Helper()
	for t.Context().Err() == nil {
		if res, err := a.client.Get(a.directory); err == nil {
			_ = res.Body.Close()
			return
		}
	}
	t.Fatal("the ACME server does not answer")
}

// roots returns what a client of the certificates would trust.
func (a *authority) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	res := must(a.client.Get(fmt.Sprintf("https://127.0.0.1:%d/roots/0", a.manage)))(t)
	defer func() { _ = res.Body.Close() }()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(io.ReadAll(res.Body))(t)) {
		t.Fatal("the ACME server has no root")
	}
	return pool
}

// dnsServer answers, over TCP, that every host is 127.0.0.1, and returns its
// address.
func dnsServer(t *testing.T) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerDNS(c)
		}
	}()
	return l.Addr().String()
}

func answerDNS(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := dnsReply(query)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func dnsReply(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RecursionDesired: m.RecursionDesired},
		Questions: m.Questions,
	}
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		reply.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	packed, err := reply.Pack()
	if err != nil {
		return nil
	}
	return packed
}

func port(t *testing.T, address string) int {
	t.Helper()
	return must(net.ResolveTCPAddr("tcp", address))(t).Port
}

func acmeConfig(t *testing.T, a *authority) *config.Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.URL = "https://" + acmeHost
	cfg.Log.Level = "debug" // shows why a handshake failed
	cfg.TLS.ACME.Hosts = []string{acmeHost}
	cfg.TLS.ACME.Email = "admin@" + acmeHost
	cfg.TLS.ACME.DirectoryURL, cfg.TLS.ACME.CAFile = a.directory, a.caFile
	return cfg
}

// greetTLS opens a connection as a client of host would and returns the
// certificate's number.
func greetTLS(address, host string, roots *x509.CertPool) (string, error) {
	c, err := tls.Dial("tcp", address, &tls.Config{ServerName: host, RootCAs: roots})
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}

// certMap is a CertStore.
type certMap struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (m *certMap) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if data, ok := m.files[name]; ok {
		return data, nil
	}
	return nil, errs.New(errs.NotFound, "no %s", name)
}

func (m *certMap) Put(_ context.Context, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files[name] = data
	return nil
}

func (m *certMap) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

// TestACMEByTLS obtains a certificate through the main listener and keeps it
// for a second node.
func TestACMEByTLS(t *testing.T) {
	t.Parallel()
	a := reserve(t)
	store := &certMap{files: map[string][]byte{}}
	keep := func(s *Serving) { s.Certs = store }
	r := start(t, acmeConfig(t, a), Handlers{Registry: echo("registry")}, keep)
	a.run(t, freePort(t), port(t, r.addr))
	roots := a.roots(t)
	first, err := greetTLS(r.addr, acmeHost, roots)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.lastWords(t))
	}
	if _, err := greetTLS(r.addr, "other.test.example", roots); err == nil {
		t.Error("a certificate was served for a host that is not ours")
	}
	node := start(t, acmeConfig(t, a), Handlers{}, keep)
	if second, err := greetTLS(node.addr, acmeHost, roots); err != nil || second != first {
		t.Errorf("the second node has certificate %s, %v; want %s", second, err, first)
	}
	if err := (certCache{store}).Delete(t.Context(), acmeHost); err != nil {
		t.Fatal(err)
	}
	if _, err := (certCache{store}).Get(t.Context(), acmeHost); !isCacheMiss(err) {
		t.Errorf("an absent certificate is %v", err)
	}
}

// TestACMEByHTTP obtains a certificate where only port 80 can be reached.
func TestACMEByHTTP(t *testing.T) {
	t.Parallel()
	a := reserve(t)
	cfg := acmeConfig(t, a)
	cfg.TLS.ACME.HTTPListen = "127.0.0.1:0"
	r := start(t, cfg, Handlers{Registry: echo("registry")}, nil)
	a.run(t, port(t, r.Challenge), freePort(t))
	if _, err := greetTLS(r.addr, acmeHost, a.roots(t)); err != nil {
		t.Fatalf("%v\n%s", err, r.lastWords(t))
	}
	err := filepath.WalkDir(filepath.Join(cfg.Data, "acme"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Errorf("the certificates are not kept: %v", err)
	}
}

func isCacheMiss(err error) bool {
	return err != nil && strings.Contains(err.Error(), autocert.ErrCacheMiss.Error())
}

func TestPlainRequestsGoToThePublicURL(t *testing.T) {
	t.Parallel()
	h := toPublicURL(&config.Config{URL: "https://" + acmeHost, SubdomainIsolation: true})
	tests := []struct {
		method, target string
		status         int
		location       string
	}{
		{"GET", "http://evil.test/v2/a?token=x", 308, "https://" + acmeHost + "/v2/a"},
		{"GET", "//evil.test/", 308, "https://" + acmeHost + "//evil.test/"},
		{"PUT", "/v2/a", 403, ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(tt.method, "/", nil)
		r.Host = "evil.test"
		u := must(r.URL.Parse(tt.target))(t)
		if strings.HasPrefix(tt.target, "//") {
			u.Host, u.Path = "", tt.target
		}
		r.URL = u
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Location") != tt.location {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Header().Get("Location"))
		}
	}
	for _, host := range []string{acmeHost, "containers." + acmeHost, "docker." + acmeHost} {
		r, w := httptest.NewRequest("GET", "/v2/", nil), httptest.NewRecorder()
		r.Host = host
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Location"); got != "https://"+host+"/v2/" {
			t.Errorf("%s is sent to %s", host, got)
		}
	}
}
