package crash

import (
	"net/http"
	"testing"

	"packhouse/internal/testkit"
)

// TestPostgresGone stops the database under a registry that pushes go to.
func TestPostgresGone(t *testing.T) {
	pg, err := testkit.NewPostgresServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Remove)
	if err := pg.Do(t.Context(), "CREATE DATABASE registry"); err != nil {
		t.Fatal(err)
	}
	f := newFaultTest(t, t.TempDir(), "--database-url", pg.URL("registry"))
	m := f.pushImage("kept")
	f.perform(0, func() error { pg.Stop(); return nil })

	for _, size := range []int{small, large} {
		f.wantPush(http.StatusServiceUnavailable, f.blob(size))
	}
	f.want(http.StatusServiceUnavailable, request{
		method: http.MethodPut, path: manifestPath(sharedPkg, "kept"), body: m.content,
		header: map[string]string{"Content-Type": m.mediaType},
	})
	f.want(http.StatusServiceUnavailable, get(manifestPath(sharedPkg, "kept")))

	if err := pg.Start(); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(small))
	f.survived()
}

// TestS3Gone stops the object store. What lies in the database is served on,
// and pushed.
func TestS3Gone(t *testing.T) {
	s3, err := testkit.NewS3Server()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s3.Remove)
	bucket := s3.Bucket(t)
	f := newFaultTest(t, t.TempDir(), "--s3-endpoint", bucket.Endpoint, "--s3-bucket", bucket.Name,
		"--s3-region", bucket.Region, "--s3-access-key", bucket.AccessKey, "--s3-secret-key", bucket.SecretKey, "--s3-tls=false")
	kept := f.blob(large)
	f.wantPush(http.StatusCreated, kept)
	f.pushImage("kept")
	f.perform(0, func() error { s3.Stop(); return nil })

	for _, a := range []answer{
		f.want(http.StatusServiceUnavailable, get(blobPath(sharedPkg, digestOf(kept)))),
		f.wantPush(http.StatusServiceUnavailable, f.blob(large)),
	} {
		if a.header.Get("Retry-After") == "" {
			t.Errorf("no Retry-After in the answer %s", a)
		}
	}
	f.want(http.StatusOK, get(manifestPath(sharedPkg, "kept")))
	f.want(http.StatusOK, get("/v2/"+sharedPkg+"/tags/list"))
	f.pushImage("rows")

	if err := s3.Start(); err != nil {
		t.Fatal(err)
	}
	f.recover(f.blob(large))
	f.survived()
}
