package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"packhouse/internal/testkit"
)

// program is the built packhouse, and fixtures what the clients push. Both are
// made once, before the first test, and only read by tests.
var (
	program  string
	fixtures images
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "packhouse-clients-")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer testkit.StopS3()
	defer testkit.StopPostgres()
	return m.Run()
}

func prepare(dir string) error {
	program = filepath.Join(dir, "packhouse")
	build := exec.Command("go", "build", "-o", program, "packhouse/cmd/packhouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build packhouse: %w\n%s", err, out)
	}
	var err error
	fixtures, err = makeImages(dir)
	return err
}

// TestClients runs every client against every backend.
func TestClients(t *testing.T) {
	t.Parallel()
	for backend, settings := range map[string]func(*testing.T) []string{
		"sqlite+disk": sqliteAndDisk,
		"postgres+s3": postgresAndS3,
	} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			r := startRegistry(t, settings(t))
			for name, use := range map[string]func(*testing.T, *client){
				"docker": docker, "podman": podman, "skopeo": skopeo, "buildah": buildah,
				"containerd": containerd, "crane": crane, "regctl": regctl, "oras": orasLibrary, "helm": helm,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					use(t, newClient(t, r, name))
				})
			}
		})
	}
}
