package clients_test

import (
	"testing"

	"packhouse/test/lab"
)

// program is the built packhouse, and fixtures what the clients push. Both are
// made once, before the first test, and only read by tests.
var (
	program  lab.Program
	fixtures images
)

func TestMain(m *testing.M) {
	lab.Main(m, &program, func(dir string) (err error) {
		fixtures, err = makeImages(dir)
		return err
	})
}

// TestClients runs every client against every backend.
func TestClients(t *testing.T) {
	t.Parallel()
	for backend, settings := range map[string]func(*testing.T) []string{
		"sqlite+disk": lab.SQLiteAndDisk,
		"postgres+s3": lab.PostgresAndS3,
	} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			r := program.Start(t, "", settings(t))
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
