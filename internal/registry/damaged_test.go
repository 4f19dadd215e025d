package registry_test

import (
	"errors"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// code returns the protocol's code of an error of one of our faults.
func code(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind == errs.Internal {
		return e.Code
	}
	return ""
}

// Damaged bytes are served to nobody: one who pulls is told, one who may push is
// told that they are not there and sends them again, and then they are whole.
func TestDamagedBlobIsHealedByAPush(t *testing.T) {
	onBoth(t, func(f *fixture) {
		reader := f.bob
		for _, size := range []int{300, 50_000} {
			b, d := randomBytes(size)
			m := f.image(f.alice, f.app, b)
			_, err := f.tag(f.alice, f.app, m, "v1")
			f.check(err)
			f.exec(`UPDATE packages SET visibility = 'public'`)
			f.exec(`UPDATE blobs SET state = 'suspect' WHERE digest = ?`, d.String())
			f.exec(`UPDATE blob_contents SET content = ? WHERE digest = ?`, []byte("damaged"), d.String())
			for what, who := range map[string]access.Principal{"owner": f.alice, "reader": reader} {
				if _, err := f.FindBlob(f.ctx(), who, f.app, d); code(err) != "BLOB_DAMAGED" {
					t.Errorf("%d bytes: a pull by the %s: %v", size, what, err)
				}
			}
			if _, err := f.StatBlob(f.ctx(), reader, f.app, d); code(err) != "BLOB_DAMAGED" {
				t.Errorf("%d bytes: HEAD by one who may only read: %v", size, err)
			}
			_, err = f.StatBlob(f.ctx(), f.alice, f.app, d)
			wantKind(t, err, errs.NotFound)
			if _, err := f.tag(f.alice, f.app, m, "v2"); err == nil {
				t.Errorf("%d bytes: a manifest with a damaged part was taken", size)
			}

			f.push(f.alice, f.app, b)
			for _, who := range []access.Principal{f.alice, reader} {
				if got, err := f.read(who, f.app, d); err != nil || string(got) != string(b) {
					t.Errorf("%d bytes: after the push: %d bytes, %v", size, len(got), err)
				}
			}
			if _, err := f.tag(f.alice, f.app, m, "v2"); err != nil {
				t.Error(err)
			}
		}
	})
}

// What lies in the database is hashed before it is served for the first time.
func TestDamagedRowsAreNeverServed(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(300)
		m := f.image(f.alice, f.app, b)
		md, err := f.tag(f.alice, f.app, m, "v1")
		f.check(err)
		f.exec(`UPDATE blob_contents SET content = ?`, b[1:])
		f.exec(`UPDATE manifests SET content = ?`, m[1:])
		f.Service = f.open(f.blobs) // what was pushed is in memory
		if _, err := f.read(f.alice, f.app, d); code(err) != "BLOB_DAMAGED" {
			t.Errorf("a damaged blob: %v", err)
		}
		v, err := f.stat(f.alice, f.app, "v1")
		f.check(err)
		if _, err := f.ManifestContent(f.ctx(), v); code(err) != "BLOB_DAMAGED" {
			t.Errorf("a damaged manifest: %v", err)
		}

		other := f.open(f.blobs) // one that has nothing in memory
		f.push(f.alice, f.app, b)
		if _, err := f.tag(f.alice, f.app, m, md.String()); err != nil {
			t.Fatal(err)
		}
		f.Service = other
		if got, err := f.read(f.alice, f.app, d); err != nil || string(got) != string(b) {
			t.Errorf("after the push of the blob: %d bytes, %v", len(got), err)
		}
		if got, err := f.ManifestContent(f.ctx(), v); err != nil || string(got) != string(m) {
			t.Errorf("after the push of the manifest: %d bytes, %v", len(got), err)
		}
	})
}
