package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

func TestBlobsHaveTheLimitOfTheirRegistry(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		f.limits.MaxBlob, f.limits.MaxDockerBlob = 40000, 20000
		f.Service = f.open(f.blobs)
		image := docker("alice/code/app")
		for _, c := range []struct {
			p    access.Package
			size int
			ok   bool
		}{{image, 20000, true}, {image, 20001, false}, {f.app, 20001, true}, {f.app, 40000, true}, {f.app, 40001, false}} {
			b, d := randomBytes(c.size)
			err := f.PushBlob(f.ctx(), f.alice, c.p, d, whole(b))
			if c.ok {
				f.check(err)
			} else {
				wantKind(f.t, err, errs.TooLarge)
			}
			sess, err := f.StartUpload(f.ctx(), f.alice, c.p, oci.SHA256)
			f.check(err)
			_, err = f.FinishUpload(f.ctx(), f.alice, c.p, sess.ID, d, registry.Body{Reader: strings.NewReader(string(b)), Length: -1, Start: -1, RangeLength: -1})
			if c.ok {
				f.check(err)
				continue
			}
			wantKind(f.t, err, errs.TooLarge)
			f.check(f.CancelUpload(f.ctx(), f.alice, c.p, sess.ID))
		}
	})
}

func TestForeignLayersAreForTheContainerRegistry(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		foreign := fmt.Sprintf(`{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":%q,"size":5,"urls":["https://elsewhere.test/layer"]}`,
			oci.SHA256.FromBytes([]byte("elsewhere")))
		for _, p := range []access.Package{f.app, docker("alice/code/app")} {
			m := strings.Replace(string(f.image(f.alice, p)), `"layers":[`, `"layers":[`+foreign, 1)
			_, err := f.tag(f.alice, p, []byte(m), "v1")
			if p.Type == access.Container {
				f.check(err)
				continue
			}
			wantKind(f.t, err, errs.Invalid)
			if !strings.Contains(err.Error(), "foreign layer") {
				f.t.Errorf("refused with %v", err)
			}
		}
	})
}

// Who names a blob as a foreign layer keeps it only in a package that holds it.
func TestAForeignLayerKeepsWhatThePackageHolds(t *testing.T) {
	onBoth(t, func(f *fixture) {
		secret := f.push(f.alice, pkg("alice/secret"), []byte("bytes of alice"))
		foreign := fmt.Sprintf(`{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":%q,"size":14}`, secret)
		edges := func() string {
			return f.value(`SELECT COUNT(*) FROM edges WHERE child = ? AND kind = 'blob'`, secret.String())
		}
		mine := pkg("bob/app")
		m := []byte(strings.Replace(string(f.image(f.bob, mine)), `"layers":[`, `"layers":[`+foreign, 1))
		_, err := f.tag(f.bob, mine, m, "v1")
		f.check(err)
		if edges() != "0" {
			f.t.Error("a blob of another owner is kept by its digest")
		}
		// The same manifest, in a package that has them.
		_ = f.image(f.alice, pkg("alice/secret"))
		_, err = f.tag(f.alice, pkg("alice/secret"), m, "v1")
		f.check(err)
		if edges() != "1" {
			f.t.Error("a foreign layer that the package holds is not kept")
		}
	})
}

func TestTagsOnly(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		f.Service = f.node(func(d *registry.Deps) { d.TagsOnly = true })
		for _, p := range []access.Package{f.app, docker("alice/code/app")} {
			m := f.image(f.alice, p)
			d, err := f.tag(f.alice, p, m, "v1")
			f.check(err)
			_, err = f.stat(f.alice, p, "v1")
			f.check(err)
			_, pulled := f.stat(f.alice, p, d.String())
			_, pushed := f.tag(f.alice, p, m, d.String())
			if p.Type == access.Container {
				f.check(pulled)
				f.check(pushed)
				continue
			}
			wantKind(f.t, pulled, errs.Unsupported)
			wantKind(f.t, pushed, errs.Unsupported)
			_, err = f.stat(f.bob, p, d.String())
			wantKind(f.t, err, errs.NotFound) // no stranger learns of it
		}
	})
}

// An image of over 10 GB is taken by the Docker registry, with a warning.
func TestLargeImagesAreWarnedOf(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		for _, c := range []struct {
			p      access.Package
			size   int64
			warned bool
		}{{docker("alice/code/app"), 10 << 30, true}, {docker("alice/code/app"), 1 << 30, false}, {f.app, 10 << 30, false}} {
			m := f.image(f.alice, c.p, []byte("layer of a size to be told"))
			f.exec(`UPDATE blobs SET size = ? WHERE digest = ?`, c.size, oci.SHA256.FromBytes([]byte("layer of a size to be told")).String())
			m = []byte(strings.Replace(string(m), `"size":26}]`, fmt.Sprintf(`"size":%d}]`, c.size), 1))
			ref, err := oci.ParseReference("v1")
			f.check(err)
			pushed, err := f.PushManifest(f.ctx(), f.alice, c.p, registry.Push{Reference: ref, Content: m})
			f.check(err)
			if (pushed.Warning != "") != c.warned {
				f.t.Errorf("%s of %d bytes: warning %q", c.p.Name, c.size, pushed.Warning)
			}
			f.exec(`UPDATE blobs SET size = 26 WHERE digest = ?`, oci.SHA256.FromBytes([]byte("layer of a size to be told")).String())
		}
	})
}

func TestRegistriesCanBeClosed(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Public)
		image := docker("alice/code/app")
		for _, p := range []access.Package{f.app, image} {
			f.check(f.publish(f.alice, p, nil))
		}
		f.visibility(f.app, access.Public)
		f.exec(`INSERT INTO settings (name, value) VALUES ('registry.docker', 'read-only')`)
		_, err := f.stat(f.anyone, image, "v1")
		f.check(err)
		err = f.publish(f.alice, image, map[string]string{"b": "c"})
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "registry_read_only")
		wantKind(f.t, f.publish(f.anyone, image, map[string]string{"b": "c"}), errs.Unauthenticated)
		f.exec(`UPDATE settings SET value = 'disabled'`)
		for _, p := range []access.Package{image, docker("alice/code/nothing"), docker("nobody/at/all")} {
			for _, who := range []access.Principal{f.alice, f.anyone} {
				_, err = f.stat(who, p, "v1")
				wantKind(f.t, err, errs.Denied)
				f.wantReason(err, "registry_disabled")
			}
		}
		_, err = f.stat(f.anyone, f.app, "v1")
		f.check(err)
		f.check(f.publish(f.alice, f.app, map[string]string{"b": "c"}))
		page, err := f.Catalog(f.ctx(), f.alice, access.Docker, "", "", 10)
		if err != nil || len(page.Names) != 0 {
			f.t.Errorf("the catalog of a closed registry has %v, %v", page.Names, err)
		}
	})
}
