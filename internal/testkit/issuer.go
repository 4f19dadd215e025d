package testkit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What a client of every issuer signs in with.
const (
	IssuerClientID     = "packhouse"
	IssuerClientSecret = "the client's secret"
)

// issuerVariable makes a test binary an issuer; RunMain looks at it.
const issuerVariable = "PACKHOUSE_TEST_ISSUER"

// IssuerProcess is an OpenID Connect issuer in a process of its own, on a
// loopback address: discovery, keys, identity tokens for jobs (Mint), and the
// authorization code flow with PKCE for people (SetUser, SignInAs). It is the
// test binary run once more.
type IssuerProcess struct {
	// URL is the issuer, such as http://127.0.0.1:40123.
	URL string

	stdin  io.Closer
	exited chan struct{}
}

// Issuer starts an issuer for this test. The package's TestMain must be RunMain.
//
//	issuer := testkit.Issuer(t)
//	token := issuer.Mint(t, map[string]any{"aud": "packhouse", "repository": "acme/app"})
//
//	issuer.SetUser(t, "monalisa", map[string]any{"email": "mona@example.com", "groups": []string{"dev"}})
//	issuer.SignInAs(t, "monalisa") // or add &login_hint=monalisa to the authorization request
func Issuer(t testing.TB) *IssuerProcess {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^$") // runs no test should RunMain not be there
	cmd.Env = append(os.Environ(), issuerVariable+"=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // the issuer ends with it, and so with this process
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &IssuerProcess{stdin: stdin, exited: make(chan struct{})}
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	go func() {
		defer close(p.exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(p.Stop)
	if p.URL = strings.TrimSpace(line); !strings.HasPrefix(p.URL, "http://") {
		t.Fatalf("the issuer did not start: is the TestMain of this package testkit.RunMain? It says %q", line)
	}
	return p
}

// Stop ends the issuer; its address is then closed.
func (p *IssuerProcess) Stop() {
	p.stdin.Close()
	<-p.exited
}

// IssuerToken says what MintToken signs.
type IssuerToken struct {
	// Claims are completed by iss, sub, iat, nbf, exp (in ten minutes) and jti;
	// one that is nil is left out. Times are seconds since 1970.
	Claims map[string]any
	// Algorithm is ES256 when empty; RS256, EdDSA, HS256 (keyed with the
	// issuer's public key, as forgers do) and none are there too.
	Algorithm string
	// Header is added to the header, also over alg and kid.
	Header map[string]any
	// Stranger signs with a key that is not the issuer's, under its key's id,
	// and puts that key into the header as jwk.
	Stranger bool
}

// Mint returns an identity token with these claims, as IssuerToken has them.
func (p *IssuerProcess) Mint(t testing.TB, claims map[string]any) string {
	t.Helper()
	return p.MintToken(t, IssuerToken{Claims: claims})
}

// MintAt is Mint at the time now, for tests whose clock stands still.
func (p *IssuerProcess) MintAt(t testing.TB, now time.Time, claims map[string]any) string {
	t.Helper()
	return p.MintToken(t, IssuerToken{Claims: p.At(now, claims)})
}

// At returns claims with iat, nbf and exp by the time now, where they are not set.
func (p *IssuerProcess) At(now time.Time, claims map[string]any) map[string]any {
	all := map[string]any{"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}
	maps.Copy(all, claims)
	return all
}

// MintToken returns an identity token as want says.
func (p *IssuerProcess) MintToken(t testing.TB, want IssuerToken) string {
	t.Helper()
	return string(p.control(t, "mint", want))
}

// Rotate gives the issuer new keys. The old ones are published no more.
func (p *IssuerProcess) Rotate(t testing.TB) {
	t.Helper()
	p.control(t, "rotate", nil)
}

// Requests returns how often each path was asked for, but for control.
func (p *IssuerProcess) Requests(t testing.TB) map[string]int {
	t.Helper()
	var counts map[string]int
	if err := json.Unmarshal(p.control(t, "requests", nil), &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// IssuerAnswer replaces what a path answers.
type IssuerAnswer struct {
	Status   int
	Location string
	Body     string
	// Padding is a number of spaces before the body.
	Padding int
}

// Answer makes the issuer answer a path, such as /keys, in this way; the zero
// answer restores it.
func (p *IssuerProcess) Answer(t testing.TB, path string, a IssuerAnswer) {
	t.Helper()
	p.control(t, "answer", map[string]any{"path": path, "answer": a})
}

// SetUser makes or changes a person who can sign in. The claims go into the
// identity token and the user information beside sub, which is "id-of-" and the
// name, and preferred_username, which is the name, unless they are set.
func (p *IssuerProcess) SetUser(t testing.TB, name string, claims map[string]any) {
	t.Helper()
	p.control(t, "user", map[string]any{"name": name, "claims": claims})
}

// SignInAs makes name the person who sits before every browser: /authorize
// sends it back at once. With "" it shows a page with a link for each person.
func (p *IssuerProcess) SignInAs(t testing.TB, name string) {
	t.Helper()
	p.control(t, "signin", name)
}

func (p *IssuerProcess) control(t testing.TB, what string, body any) []byte {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(p.URL+"/test/"+what, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the issuer's %s: %s, %v: %s", what, res.Status, err, answer)
	}
	return answer
}
