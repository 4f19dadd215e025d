package seeds_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"packhouse/test/lab"
)

// A stage is where scenarios play: a registry, and octocat with a docker engine
// in a home of its own.
type stage struct {
	t    *testing.T
	r    lab.Registry
	c    *lab.Client
	host string // HOSTNAME of the documents, with its port
	// logins are the addresses that octocat is signed in to when a scenario begins.
	logins []string
}

func newStage(t *testing.T, g group) *stage {
	t.Helper()
	r := program.Start(t, g.host, g.settings)
	host := strings.TrimPrefix(r.URL, "http://")
	c, logins := r.NewClient(t, "octocat"), []string{"HOSTNAME"}
	if g.host == "" {
		c = c.Engine()
	} else {
		c, logins = c.Engine(g.host, "docker."+g.host, "containers."+g.host), []string{"docker.HOSTNAME", "containers.HOSTNAME"}
	}
	s := &stage{t: t, r: r, c: c, host: host, logins: logins}
	r.Admin(t, "repo", "create", "octocat/octo-app")
	s.c.Write("TOKEN.txt", c.Token+"\n")
	s.build("monalisa:1.0", "FROM scratch\nCOPY file /monalisa\n", "hello")
	return s
}

// in returns the stage for one scenario.
func (s *stage) in(t *testing.T) *stage {
	other := *s
	other.t = t
	client := *s.c
	client.T = t
	other.c = &client
	for _, address := range s.logins {
		other.login(address, "octocat", s.c.Token)
	}
	return &other
}

// script fills in the names that stand for others in the documents.
func (s *stage) script(text string) string {
	return strings.NewReplacer("HOSTNAME", s.host, "USERNAME", "octocat").Replace(text)
}

// sh runs a line of the documents, which must succeed, and returns its output.
func (s *stage) sh(line string) string {
	s.t.Helper()
	return s.c.Run("sh", "-c", s.script(line))
}

// refused runs a line that must fail and say all of the texts.
func (s *stage) refused(line string, texts ...string) {
	s.t.Helper()
	_, said, err := s.c.Exec("", "sh", []string{"-c", s.script(line)})
	if err == nil {
		s.t.Fatalf("%s\nsucceeded, and should be refused:\n%s", s.script(line), said)
	}
	for _, text := range texts {
		if !strings.Contains(strings.ToLower(said), strings.ToLower(s.script(text))) {
			s.t.Errorf("%s\ndoes not say %q:\n%s", s.script(line), s.script(text), said)
		}
	}
}

// admin runs a command of the operator, given as words between spaces.
func (s *stage) admin(line string) string {
	s.t.Helper()
	return s.r.Admin(s.t, strings.Fields(line)...)
}

// build makes an image with a file in it.
func (s *stage) build(name, dockerfile, text string, flags ...string) {
	s.t.Helper()
	s.c.Write("build/Dockerfile", dockerfile)
	s.c.Write("build/file", text+"\n")
	s.c.Run("docker", append(append([]string{"build", "-q", "-t", name}, flags...), s.c.Home+"/build")...)
}

// login signs docker in to an address of the documents.
func (s *stage) login(address, user, secret string) {
	s.t.Helper()
	s.c.Feed(secret, "docker", "login", s.script(address), "-u", user, "--password-stdin")
}

// forget removes images, so that a pull has to fetch them.
func (s *stage) forget(names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.c.Exec("", "docker", []string{"rmi", "-f", s.script(name)})
	}
}

// push tags the monalisa image with a name and pushes it.
func (s *stage) push(name string) {
	s.t.Helper()
	s.sh("docker tag monalisa:1.0 " + name)
	s.sh("docker push " + name)
}

// shown is what the operator sees of a package, which is what its page shows.
type shown struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Visibility  string `json:"visibility"`
	Repository  string `json:"repository"`
	Inherits    bool   `json:"inherits"`
	Description string `json:"description"`
	Licenses    string `json:"licenses"`
	Source      string `json:"source"`
}

func (s *stage) show(args ...string) shown {
	s.t.Helper()
	var p shown
	out := s.r.Admin(s.t, append([]string{"package", "show", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		s.t.Fatalf("package show %q: %v\n%s", args, err, out)
	}
	return p
}

// request sends a request to the registry with a personal access token, or none
// when it is "", and returns the status and the body.
func (s *stage) request(method, host, path, token string, body io.Reader, header ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.r.Addr+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Host = s.script(host)
	if token != "" {
		req.SetBasicAuth("octocat", token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// read returns a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
