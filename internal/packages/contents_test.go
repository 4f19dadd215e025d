package packages_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

// later lets time pass, so that no two changes have the same moment.
func (f *fixture) later() { f.now = f.now.Add(time.Second) }

// manifest pushes a manifest to a reference, "" for its digest.
func (f *fixture) manifest(who access.Principal, p access.Package, reference, content string) oci.Digest {
	f.t.Helper()
	f.later()
	d := oci.SHA256.FromBytes([]byte(content))
	ref := oci.Reference{Digest: d}
	if reference != "" {
		ref = f.ref(reference)
	}
	_, err := f.registry.PushManifest(f.t.Context(), who, p, registry.Push{Reference: ref, Content: []byte(content)})
	f.check(err)
	return d
}

func (f *fixture) ref(text string) oci.Reference {
	f.t.Helper()
	ref, err := oci.ParseReference(text)
	f.check(err)
	return ref
}

func (f *fixture) tagNamed(text string) oci.Tag {
	f.t.Helper()
	tag, err := oci.ParseTag(text)
	f.check(err)
	return tag
}

// blob pushes a blob and returns its descriptor.
func (f *fixture) blob(who access.Principal, p access.Package, mediaType, content string) string {
	f.t.Helper()
	d := oci.SHA256.FromBytes([]byte(content))
	body := registry.Body{Reader: bytes.NewReader([]byte(content)), Length: int64(len(content)), Start: -1, RangeLength: -1}
	f.check(f.registry.PushBlob(f.t.Context(), who, p, d, body))
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, d, len(content))
}

// image pushes an image with one layer to a reference, with more members in its
// manifest, such as a subject.
func (f *fixture) image(who access.Principal, p access.Package, reference, layer string, more ...string) oci.Digest {
	f.t.Helper()
	config := f.blob(who, p, "application/vnd.oci.image.config.v1+json", `{"os":"linux"}`)
	one := f.blob(who, p, "application/vnd.oci.image.layer.v1.tar", layer)
	members := append([]string{`"schemaVersion":2`, `"mediaType":"application/vnd.oci.image.manifest.v1+json"`, `"config":` + config, `"layers":[` + one + `]`}, more...)
	return f.manifest(who, p, reference, "{"+strings.Join(members, ",")+"}")
}

// descriptor is that of a version.
func (f *fixture) descriptor(p access.Package, d oci.Digest) string {
	f.t.Helper()
	v, err := f.registry.StatManifest(f.t.Context(), f.operator, p, oci.Reference{Digest: d})
	f.check(err)
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, v.MediaType, d, v.Size)
}

// index pushes an index of the versions to a reference.
func (f *fixture) index(who access.Principal, p access.Package, reference string, children ...oci.Digest) oci.Digest {
	f.t.Helper()
	var list []string
	for _, d := range children {
		list = append(list, f.descriptor(p, d))
	}
	return f.manifest(who, p, reference,
		`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[`+strings.Join(list, ",")+`]}`)
}

// signature pushes a referrer of the version.
func (f *fixture) signature(who access.Principal, p access.Package, reference string, subject oci.Digest, layer string) oci.Digest {
	f.t.Helper()
	return f.image(who, p, reference, layer, `"artifactType":"application/vnd.example.signature"`, `"subject":`+f.descriptor(p, subject))
}

// version returns the version of that digest, be it deleted.
func (f *fixture) version(p access.Package, d oci.Digest) packages.Version {
	f.t.Helper()
	for _, deleted := range []bool{false, true} {
		page, err := f.Versions(f.t.Context(), f.operator, p, packages.VersionQuery{Deleted: deleted, PerPage: 100})
		f.check(err)
		for _, v := range page.Versions {
			if v.Digest == d {
				return v
			}
		}
	}
	f.t.Fatalf("%s has no version %s", p.Name, d)
	return packages.Version{}
}

// remove deletes the version.
func (f *fixture) remove(who access.Principal, p access.Package, d oci.Digest, o packages.DeleteVersion) error {
	f.t.Helper()
	f.later()
	return f.DeleteVersion(f.t.Context(), who, p, f.version(p, d).ID, o)
}

// restore brings the version back.
func (f *fixture) restore(who access.Principal, p access.Package, d oci.Digest) error {
	f.t.Helper()
	f.later()
	return f.RestoreVersion(f.t.Context(), who, p, f.version(p, d).ID)
}

// holds checks which versions are present, by the tags that they have or else
// by their digests.
func (f *fixture) holds(p access.Package, want ...string) {
	f.t.Helper()
	page, err := f.Versions(f.t.Context(), f.operator, p, packages.VersionQuery{PerPage: 100})
	f.check(err)
	var got []string
	for _, v := range page.Versions {
		name := v.Digest.String()
		if len(v.Tags) > 0 {
			slices.Sort(v.Tags)
			name = strings.Join(v.Tags, ",")
		}
		got = append(got, name)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		f.t.Errorf("%s holds %q, want %q", p.Name, got, want)
	}
}

// says checks that err is a failure of that kind with a text that has part in it.
func (f *fixture) says(err error, k errs.Kind, part string) {
	f.t.Helper()
	if !errs.Is(err, k) || !strings.Contains(err.Error(), part) {
		f.t.Errorf("%v, want %s with %q", err, k, part)
	}
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	_, err := f.db.SQL().ExecContext(f.t.Context(), query, args...)
	f.check(err)
}

// events returns what hooks would hear of, the first first.
func (f *fixture) events() []hooks.Action {
	f.t.Helper()
	rows, err := f.db.Read().Query(f.t.Context(), `SELECT args FROM jobs WHERE kind = ? ORDER BY id`, hooks.JobEvent)
	f.check(err)
	defer rows.Close()
	var list []hooks.Action
	for rows.Next() {
		var args string
		f.check(rows.Scan(&args))
		var e hooks.Event
		f.check(json.Unmarshal([]byte(args), &e))
		if e.PackageID == 0 || e.At.IsZero() || e.Actor == "" {
			f.t.Errorf("event %s lacks something", args)
		}
		list = append(list, e.Action)
	}
	f.check(rows.Err())
	return list
}
