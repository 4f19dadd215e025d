package registry_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// TestCatalogIsWhatMayBeRead compares the catalog's one query with a decision on
// every package, for every kind of caller.
func TestCatalogIsWhatMayBeRead(t *testing.T) {
	onBoth(t, func(f *fixture) {
		var all []access.Package
		for _, owner := range []access.Principal{f.alice, f.bob, f.orgOwner()} {
			for _, v := range []access.Visibility{access.Private, access.Internal, access.Public} {
				p := pkg(fmt.Sprintf("%s/%s", owner.Login, v))
				if owner.Login == "olga" {
					p = pkg(fmt.Sprintf("acme/%s", v))
				}
				_, err := f.tag(owner, p, f.image(owner, p), "v1")
				f.check(err)
				f.exec(`UPDATE packages SET visibility = ? WHERE name = ?`, string(v), p.Name.Package())
				all = append(all, p)
			}
		}
		f.push(f.alice, pkg("alice/unfinished"), []byte("a blob and no manifest"))
		granted, member, admin := f.account("granted", "user"), f.account("member", "user"), f.account("root", "user")
		admin.SiteAdmin = true
		f.exec(`INSERT INTO package_grants (package_id, account_id, role)
			SELECT id, ?, 'read' FROM packages WHERE name = 'private'`, granted.AccountID)
		f.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at)
			SELECT id, ?, 'member', 0 FROM accounts WHERE login = 'acme'`, member.AccountID)
		scopeless := f.alice
		scopeless.Scopes = 0
		for _, who := range []access.Principal{f.alice, f.bob, granted, member, admin, scopeless, {}} {
			var want []string
			for _, p := range all {
				if _, err := f.stat(who, p, "v1"); err == nil {
					want = append(want, p.Name.String())
				}
			}
			slices.Sort(want)
			var got []string
			for last, more := "", true; more; more = last != "" {
				page, err := f.Catalog(f.ctx(), who, access.Container, "", last, 2)
				f.check(err)
				got, last = append(got, page.Names...), page.Next
			}
			if !slices.Equal(got, want) {
				f.t.Errorf("%q with scopes %q: catalog %v, may read %v", who.Login, who.Scopes, got, want)
			}
		}
	})
}

// orgOwner returns a user who owns the organization acme.
func (f *fixture) orgOwner() access.Principal {
	f.t.Helper()
	olga := f.account("olga", "user")
	f.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at)
		SELECT id, ?, 'owner', 0 FROM accounts WHERE login = 'acme'`, olga.AccountID)
	return olga
}

func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	f.check(f.db.Write(f.ctx(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// A page of the catalog looks at a bounded number of packages and says where to
// go on, also when none of them may be read. The name of none is told.
func TestCatalogGoesOnBehindWhatMayNotBeRead(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.exec(`INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, published_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
			SELECT CAST(? AS BIGINT), 'container', 'p' || (10000 + i), CASE i WHEN 1300 THEN 'public' ELSE 'private' END, 0, 0, 1 FROM n`, f.alice.AccountID)
		first, err := f.Catalog(f.ctx(), f.bob, access.Container, "", "", 10)
		f.check(err)
		if len(first.Names) != 0 || !strings.HasPrefix(first.Next, "~") || strings.Contains(first.Next, "alice") {
			f.t.Fatalf("the first page is %+v", first)
		}
		again, err := f.Catalog(f.ctx(), f.bob, access.Container, access.Docker, "alice/p10001", 10)
		f.check(err)
		if len(again.Next) != len(first.Next) || again.Next == first.Next || len(again.Next) > 1000 {
			f.t.Errorf("one place is %q, another %q", first.Next, again.Next)
		}
		for _, forged := range []string{"~", "~AAAA", first.Next + "A", first.Next[:len(first.Next)-2] + "AA"} {
			_, err := f.Catalog(f.ctx(), f.bob, access.Container, "", forged, 10)
			wantKind(f.t, err, errs.Invalid)
		}
		second, err := f.Catalog(f.ctx(), f.bob, access.Container, "", first.Next, 10)
		f.check(err)
		if !slices.Equal(second.Names, []string{"alice/p11300"}) || second.Next != "" {
			f.t.Errorf("the second page is %+v", second)
		}
	})
}
