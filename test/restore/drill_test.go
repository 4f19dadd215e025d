package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"packhouse/test/lab"
)

// A machine is lost, and what is put in its place need not keep its data alike.
func TestRestoreDrill(t *testing.T) {
	t.Parallel()
	sqliteAndBucket := func(t *testing.T) []string { return lab.PostgresAndS3(t)[1:] }
	postgresAndDisk := func(t *testing.T) []string { return lab.PostgresAndS3(t)[:1] }
	for _, c := range []struct {
		name     string
		from, to func(t *testing.T) []string
	}{
		{"SQLite and disk", lab.SQLiteAndDisk, lab.SQLiteAndDisk},
		{"SQLite and disk, to a bucket", lab.SQLiteAndDisk, sqliteAndBucket},
		{"PostgreSQL and bucket", lab.PostgresAndS3, lab.PostgresAndS3},
		{"PostgreSQL and bucket, to a disk", lab.PostgresAndS3, postgresAndDisk},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			drill(t, newSite(t, c.from(t)), newSite(t, c.to(t)))
		})
	}
}

func drill(t *testing.T, old, fresh *site) {
	old.start()
	old.must("admin", "user", "create", "alice")
	token := old.must("admin", "token", "create", "alice", "--scopes", "read:packages,write:packages")
	p := startPushers(t, old, token)
	dir := filepath.Join(t.TempDir(), "backup")

	p.awaitMore(12)
	first := p.acknowledged()
	old.must("backup", dir)
	copied := filesOf(t, dir)
	p.awaitMore(8)
	second := p.acknowledged()
	old.must("backup", dir)
	p.stop()
	if len(first) < 12 || len(second) < len(first)+8 {
		t.Fatalf("%d and %d images were acknowledged", len(first), len(second))
	}
	notCopiedAgain(t, copied, filesOf(t, dir))

	old.kill()
	if err := os.RemoveAll(old.data); err != nil {
		t.Fatal(err)
	}
	said := fresh.must("restore", dir)
	if !strings.Contains(said, "restored the database") {
		t.Errorf("restore says: %s", said)
	}
	if said, err := fresh.run("restore", dir); err == nil {
		t.Errorf("a second restore was not refused: %s", said)
	}
	if said := fresh.must("fsck", "--read-data", "--rate", "0"); !strings.Contains(said, " 0 findings") {
		t.Errorf("fsck says: %s", said)
	}
	fresh.start()
	pullAll(t, fresh, token, second)
	c, err := newClient(t.Context(), fresh, token)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.push(t.Context(), newImage(-1), "after"); err != nil {
		t.Errorf("a push after the restore: %v", err)
	}
	if !slices.ContainsFunc(fresh.settings, func(v string) bool { return strings.Contains(v, "_S3_") }) {
		if said, err := fresh.run("restore", dir, "--force"); err == nil || !strings.Contains(said, "stop it first") {
			t.Errorf("a restore below a running server: %v, %s", err, said)
		}
	}
	fresh.kill()
	loseBlob(t, fresh)
	fresh.must("restore", dir, "--force")
	fresh.start()
	pullAll(t, fresh, token, second)
}

// loseBlob removes the bytes of a blob from a disk; fsck says so by its exit code
// and names it.
func loseBlob(t *testing.T, s *site) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.data, "blobs", "sha256", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		return // they are in a bucket
	}
	digest, _, _ := strings.Cut(filepath.Base(files[0]), ".")
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	said, err := s.run("fsck", "--json")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(said, `{"fault":"blob-missing","digest":"sha256:`+digest) {
		t.Errorf("fsck with a blob missing: %v, %s", err, said)
	}
}

func pullAll(t *testing.T, s *site, token string, list []image) {
	t.Helper()
	c, err := newClient(t.Context(), s, token)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if err := c.pull(t.Context(), i); err != nil {
			t.Errorf("an image that was acknowledged before the backup: %v", err)
		}
	}
}

// pushers push image after image until they are stopped.
type pushers struct {
	t    *testing.T
	stop func()

	mu    sync.Mutex
	acked []image
	more  *sync.Cond
	err   error
}

func startPushers(t *testing.T, s *site, token string) *pushers {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &pushers{t: t}
	p.more = sync.NewCond(&p.mu)
	var all sync.WaitGroup
	p.stop = func() { cancel(); all.Wait() }
	t.Cleanup(p.stop)
	for who := range 3 {
		all.Go(func() {
			c, err := newClient(ctx, s, token)
			for n := 0; err == nil && ctx.Err() == nil; n++ {
				i := newImage(1000*who + n)
				if err = c.push(ctx, i, fmt.Sprintf("t%d", who)); err == nil {
					p.note(i)
				}
			}
			if ctx.Err() == nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.err = err
				p.more.Broadcast()
			}
		})
	}
	return p
}

func (p *pushers) note(i image) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked = append(p.acked, i)
	p.more.Broadcast()
}

// acknowledged returns what was until now.
func (p *pushers) acknowledged() []image {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.acked)
}

// awaitMore waits for n images beyond those that there are.
func (p *pushers) awaitMore(n int) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for want := len(p.acked) + n; len(p.acked) < want && p.err == nil; {
		p.more.Wait()
	}
	if p.err != nil {
		p.t.Fatal(p.err)
	}
}

// filesOf returns the files of blobs in a backup.
func filesOf(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	files := map[string]os.FileInfo{}
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files[path], err = e.Info()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func notCopiedAgain(t *testing.T, before, after map[string]os.FileInfo) {
	t.Helper()
	if len(after) < len(before)+8 {
		t.Errorf("the second backup has %d files, the first had %d", len(after), len(before))
	}
	for path, info := range before {
		if later := after[path]; later == nil || !os.SameFile(info, later) {
			t.Errorf("%s was copied again", path)
		}
	}
}
