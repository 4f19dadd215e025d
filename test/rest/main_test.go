package rest_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"packhouse/test/lab"
)

// program is the built packhouse: made once and only read by tests.
var program lab.Program

func TestMain(m *testing.M) { lab.Main(m, &program, nil) }

// host is the name of the server. Its registries and its API have names below it.
const host = "packhouse.test"

// world is a running server with the organization Acme and the user ann, who
// owns it.
type world struct {
	lab.Registry
	token string // of ann, for packages
	d     *description
	own   *ownDescription
}

// TestREST runs everything against every backend.
func TestREST(t *testing.T) {
	t.Parallel()
	for backend, settings := range map[string]func(*testing.T) []string{
		"sqlite+disk": lab.SQLiteAndDisk,
		"postgres+s3": lab.PostgresAndS3,
	} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, settings(t))
			for name, run := range map[string]func(*testing.T, *world){
				"go-github": goGitHub, "octokit": octokit, "untagged": untagged, "conflicts": conflicts, "errors": failures, "directory": directory, "own calls": ownCalls, "octokit directory": octokitDirectory,
				"jobs": jobs, "pages": pages, "names": names, "search": search, "visibilities": visibilities, "tags": tags, "others": others,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					run(t, w)
				})
			}
		})
	}
}

func newWorld(t *testing.T, settings []string) *world {
	w := &world{d: readDescription(t)}
	settings = append(settings, "PACKHOUSE_SUBDOMAIN_ISOLATION=true", "PACKHOUSE_API_RATE_LIMIT=0")
	w.Registry = program.Start(t, host, settings)
	w.readOwn(t)
	w.token = w.Account(t, "ann")
	w.Admin(t, "org", "create", "Acme", "--owner", "ann")
	w.Admin(t, "repo", "create", "acme/shop", "--visibility", "public")
	return w
}

// transport reaches the server by any name. Answers of the API have to be as the
// server describes them.
func (w *world) transport() http.RoundTripper {
	return asDescribed{w.own, &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, w.Addr)
	}}}
}
