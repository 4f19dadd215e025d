package database_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"unsafe"

	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// smallDisk returns a directory on a file system of its own, of so many bytes.
func smallDisk(t testing.TB, bytes int) string {
	t.Helper()
	// Not t.TempDir, which PostgreSQL's user may not enter.
	dir, err := os.MkdirTemp("", "packhouse-disk-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0777", bytes)); err != nil {
		t.Fatalf("a small disk is mounted for this test, which only root may do: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill writes a file that takes all the space there is.
func fill(t testing.TB, dir string) (path string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return f.Name()
}

func TestSQLiteDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 2<<20)
	db := openSQLite(t, filepath.Join(dir, "p.db"), database.Options{})
	must(t, db, "CREATE TABLE page (n integer PRIMARY KEY, b blob)")
	must(t, db, "INSERT INTO page (n, b) VALUES (1, ?)", make([]byte, 100_000))
	filler := fill(t, dir)

	stored := 1
	for n := 2; n < 12; n++ {
		err := try(t.Context(), db, "INSERT INTO page (n, b) VALUES (?, ?)", n, make([]byte, 100_000))
		switch {
		case err == nil:
			stored++ // what the log had room for
		case !errs.Is(err, errs.NoSpace):
			t.Errorf("on a full disk: %v, want no space", err)
		}
	}
	if stored == 11 {
		t.Error("the disk took everything")
	}
	wantNumber(t, db, stored, "SELECT count(*) FROM page")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	must(t, db, "INSERT INTO page (n, b) VALUES (100, ?)", make([]byte, 100_000))
	wantNumber(t, db, stored+1, "SELECT count(*) FROM page")
}

// One member of a batch is too large for the disk, so that SQLite gives the
// whole transaction up under it. Everyone in the batch and in the queue behind
// it is answered, and nobody's change is there without an answer.
func TestSQLiteDiskFullForABatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := openSQLite(t, filepath.Join(smallDisk(t, 2<<20), "p.db"), database.Options{})
		must(t, db, "CREATE TABLE page (n integer PRIMARY KEY, b blob)")
		started, proceed := make(chan struct{}), make(chan struct{})
		results := make(chan error, 9)
		go func() {
			results <- db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
				close(started)
				<-proceed
				_, err := tx.Exec(ctx, "INSERT INTO page (n) VALUES (0)")
				return err
			})
		}()
		<-started
		for n := range 8 {
			go func() {
				results <- try(t.Context(), db, "INSERT INTO page (n, b) VALUES (?, ?)", 1+n, make([]byte, 4<<20))
			}()
		}
		synctest.Wait() // everyone is in the queue
		close(proceed)
		stored := 0
		for range 9 {
			if err := <-results; err == nil {
				stored++
			} else if !errs.Is(err, errs.NoSpace) {
				t.Errorf("on a full disk: %v, want no space", err)
			}
		}
		wantNumber(t, db, stored, "SELECT count(*) FROM page")
		must(t, db, "INSERT INTO page (n) VALUES (100)")
	})
}

// cutDisk is an ext4 file system in a file, which can be cut off as by a dying
// controller: what was not synced is lost, and everything fails until it is
// mounted anew.
type cutDisk struct{ image, dir string }

func newCutDisk(t testing.TB) *cutDisk {
	t.Helper()
	d := &cutDisk{filepath.Join(t.TempDir(), "disk"), t.TempDir()}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, 64<<20); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", d.image)
	d.mount(t)
	t.Cleanup(func() { syscall.Unmount(d.dir, syscall.MNT_DETACH) })
	return d
}

func (d *cutDisk) mount(t testing.TB) {
	t.Helper()
	run(t, "mount", "-o", "loop", d.image, d.dir)
}

func (d *cutDisk) cut(t testing.TB) {
	t.Helper()
	f, err := os.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH.
	const shutdown, noLogFlush = 0x8004587d, 2
	flags := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		t.Fatalf("cut the disk off: %v", errno)
	}
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// The disk goes away under an open database and comes back. Meanwhile writes
// are refused; afterwards the same database goes on, with everything that was
// acknowledged as durable.
func TestSQLiteDiskCutOffAndBack(t *testing.T) {
	t.Parallel()
	disk := newCutDisk(t)
	db := openSQLite(t, filepath.Join(disk.dir, "p.db"), database.Options{})
	must(t, db, "CREATE TABLE pair (k text PRIMARY KEY, n bigint NOT NULL)")
	for i := range 20 {
		option := func(ctx context.Context, tx *database.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint("offset ", i))
			return err
		}
		if err := db.Write(t.Context(), option, database.Relaxed); err != nil {
			t.Fatal(err)
		}
		must(t, db, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint(i))
	}
	if _, _, err := db.Version(t.Context()); err != nil {
		t.Fatal(err)
	}

	disk.cut(t)
	for i := range 5 {
		err := try(t.Context(), db, "INSERT INTO pair (k, n) VALUES (?, 1)", fmt.Sprint("lost ", i))
		if !errs.Is(err, errs.Unavailable) {
			t.Errorf("without a disk: %v, want unavailable", err)
		}
	}
	// Nothing of ours holds the dead file system, so it can be taken away.
	if err := syscall.Unmount(disk.dir, 0); err != nil {
		t.Fatalf("unmount: %v", err)
	}
	if err := try(t.Context(), db, "DELETE FROM pair"); !errs.Is(err, errs.Unavailable) {
		t.Errorf("with nothing mounted: %v, want unavailable", err)
	}
	if _, _, err := db.Version(t.Context()); !errs.Is(err, errs.Unavailable) {
		t.Errorf("a version with nothing mounted: %v, want unavailable", err)
	}

	disk.mount(t)
	must(t, db, "INSERT INTO pair (k, n) VALUES ('back', 1)")
	wantNumber(t, db, 41, "SELECT count(*) FROM pair WHERE k NOT LIKE 'lost%'")
	if _, _, err := db.Version(t.Context()); err != nil {
		t.Error(err)
	}
}
