package registry_test

import (
	"bytes"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// roundTrip pushes an image in all the ways there are under one name and reads it
// under another.
func (f *fixture) roundTrip(who access.Principal, to, from access.Package) {
	f.t.Helper()
	b, d := randomBytes(40000)
	sess, err := f.StartUpload(f.ctx(), who, to, oci.SHA256)
	f.check(err)
	_, err = f.AppendUpload(f.ctx(), who, to, sess.ID, whole(b[:20000]))
	f.check(err)
	_, err = f.UploadStatus(f.ctx(), who, to, sess.ID)
	f.check(err)
	_, err = f.FinishUpload(f.ctx(), who, to, sess.ID, d, whole(b[20000:]))
	f.check(err)
	want, err := f.tag(who, to, f.image(who, to, b), "v1")
	f.check(err)
	for _, p := range []access.Package{to, from} {
		v, err := f.stat(who, p, "v1")
		f.check(err)
		if v.Digest != want {
			f.t.Errorf("%s has version %s, want %s", p.Name, v.Digest, want)
		}
		got, err := f.read(who, p, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("%s: %d bytes, %v", p.Name, len(got), err)
		}
		page, err := f.Tags(f.ctx(), who, p, "", 10)
		f.check(err)
		if len(page.Names) != 1 {
			f.t.Errorf("%s has tags %v", p.Name, page.Names)
		}
	}
}

func (f *fixture) packages() string { return f.value(`SELECT COUNT(*) FROM packages`) }

func TestOldNamesLeadToPackages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.roundTrip(f.alice, f.app, f.app)
		f.exec(`UPDATE packages SET name = 'renamed'`)
		f.exec(`INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages`)
		f.roundTrip(f.alice, f.app, pkg("alice/renamed"))
		f.exec(`UPDATE accounts SET login = 'alicia' WHERE login = 'alice'`)
		f.exec(`INSERT INTO logins (login, account_id) VALUES ('alicia', ?)`, f.alice.AccountID)
		f.roundTrip(f.alice, f.app, pkg("alicia/renamed"))
		f.roundTrip(f.alice, pkg("alicia/app"), pkg("alice/renamed"))
		facts := f.facts(f.alice, f.app)
		if facts.Name.String() != "alicia/renamed" || facts.Owner != "alicia" {
			f.t.Errorf("the package is named %s of %s", facts.Name, facts.Owner)
		}
		absent := f.facts(f.alice, f.other)
		if absent.Name.String() != "alicia/other" || absent.Exists || absent.Type != access.Container {
			f.t.Errorf("a push would make %s", absent.Name)
		}
		if n := f.packages(); n != "1" {
			f.t.Errorf("%s packages stand", n)
		}
	})
}

// A package that was given to another account has that account's rules, by
// whatever name it is asked for.
func TestOldNamesLeadToTheNewOwner(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.roundTrip(f.alice, f.app, f.app)
		f.exec(`DELETE FROM package_grants`)
		f.exec(`UPDATE packages SET owner_id = ?`, f.bob.AccountID)
		f.exec(`INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages`)
		f.roundTrip(f.bob, f.app, f.bobs)
		_, err := f.stat(f.alice, f.app, "v1")
		wantKind(f.t, err, errs.NotFound)
		wantKind(f.t, f.publish(f.alice, f.app, nil), errs.Denied)
		facts := f.facts(f.bob, f.app)
		if facts.OwnerID != f.bob.AccountID || facts.Name != f.bobs.Name {
			f.t.Errorf("the package is %s of %s", facts.Name, facts.Owner)
		}
	})
}

func TestNamesThatWereGivenUpAreNotUsedAgain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.roundTrip(f.alice, f.app, f.app)
		f.exec(`UPDATE packages SET name = 'renamed'`)
		f.exec(`INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages`)
		f.exec(`UPDATE packages SET deleted_at = 1`)
		if !f.facts(f.alice, f.app).Retired || f.facts(f.alice, pkg("alice/renamed")).Retired {
			f.t.Error("the old name is free or the last one is not")
		}
		wantKind(f.t, f.publish(f.alice, f.app, nil), errs.Denied)
		f.roundTrip(f.alice, pkg("alice/renamed"), pkg("alice/renamed"))
		if got := f.value(`SELECT COUNT(*) FROM package_names n JOIN packages p ON p.id = n.package_id AND p.deleted_at IS NULL`); got != "1" {
			f.t.Errorf("%s names lead to the new package", got)
		}
	})
}

// The name of an account that is gone leads to nothing, and nothing is made there.
func TestTheNamespaceOfAnAccountThatIsGone(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.roundTrip(f.alice, f.app, f.app)
		f.visibility(f.app, access.Public)
		f.exec(`UPDATE accounts SET deleted_at = 1 WHERE login = 'alice'`)
		_, err := f.stat(f.bob, f.app, "v1")
		wantKind(f.t, err, errs.NotFound)
		if facts := f.facts(f.bob, f.app); facts.OwnerExists || facts.Exists || !facts.Retired {
			f.t.Errorf("of a namespace that is gone: %+v", facts)
		}
		admin := f.bob
		admin.SiteAdmin = true
		wantKind(f.t, f.publish(admin, f.other, nil), errs.Denied)
		page, err := f.Catalog(f.ctx(), admin, access.Container, "", "", 10)
		if err != nil || len(page.Names) != 0 || page.Next != "" {
			f.t.Errorf("catalog %+v, %v", page, err)
		}
	})
}

// Docker packages are named after their repository: by its old name one reaches
// those that were made since, and makes new ones under the present name.
func TestOldNamesOfRepositories(t *testing.T) {
	onBoth(t, func(f *fixture) {
		id := f.repository("alice/code", access.Private)
		f.exec(`UPDATE repositories SET name = 'source' WHERE id = ?`, id)
		f.exec(`INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, 'source', ?)`, f.alice.AccountID, id)
		f.roundTrip(f.alice, docker("alice/code/app"), docker("alice/source/app"))
		f.roundTrip(f.alice, docker("alice/source/other"), docker("alice/code/other"))
		f.exec(`UPDATE repositories SET owner_id = ? WHERE id = ?`, f.bob.AccountID, id)
		f.exec(`INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, 'source', ?)`, f.bob.AccountID, id)
		f.roundTrip(f.bob, docker("alice/code/third"), docker("bob/source/third"))
	})
}

// One address serves the packages of both registries where they share a host.
func TestTheOtherRegistryIsLookedAtToo(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		f.roundTrip(f.alice, docker("alice/code/app"), docker("alice/code/app"))
		both := pkg("alice/code/app")
		_, err := f.stat(f.alice, both, "v1")
		wantKind(f.t, err, errs.NotFound)
		both.Also = access.Docker
		f.roundTrip(f.alice, both, docker("alice/code/app"))
		if facts := f.facts(f.alice, both); facts.Type != access.Docker {
			f.t.Errorf("it is a %s package", facts.Type)
		}
		// What is there itself goes before what is there also.
		f.roundTrip(f.alice, pkg("alice/code/app"), both)
		if facts := f.facts(f.alice, both); facts.Type != access.Container {
			f.t.Errorf("it is a %s package", facts.Type)
		}
		// A Docker package that was moved is found under its old address.
		f.exec(`UPDATE packages SET type = 'container', name = 'moved' WHERE type = 'docker'`)
		f.exec(`INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages WHERE name = 'moved'`)
		f.roundTrip(f.alice, docker("alice/code/app"), pkg("alice/moved"))
	})
}
