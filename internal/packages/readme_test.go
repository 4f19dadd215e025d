package packages_test

import (
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func TestReadmeOfAPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "v1", "1")
		f.check(f.Grant(ctx, f.ann, app, packages.Grant{Grantee: packages.Grantee{Kind: packages.User, Name: "bob"}, Role: access.RoleWrite}))

		entries := f.entries()
		f.check(f.SetReadme(ctx, f.ann, app, "# App\r\n\r\nWhat it is.\r\n"))
		text, err := f.Readme(ctx, f.bob, app)
		f.check(err)
		if want := "# App\n\nWhat it is.\n"; text != want {
			t.Errorf("got %q, want %q", text, want)
		}
		if n := f.entries() - entries; n != 1 {
			t.Errorf("%d entries in the record, want 1", n)
		}

		f.says(f.SetReadme(ctx, f.bob, app, "mine"), errs.Denied, "")
		f.says(f.SetReadme(ctx, f.eve, app, "mine"), errs.NotFound, "")
		_, err = f.Readme(ctx, f.eve, app)
		f.says(err, errs.NotFound, "")
		f.says(f.SetReadme(ctx, f.ann, app, strings.Repeat("x", packages.MaxReadme+1)), errs.TooLarge, "128 KiB")
		f.says(f.SetReadme(ctx, f.ann, app, "\xff"), errs.Invalid, "UTF-8")
		f.says(f.SetReadme(ctx, f.ann, app, "a\x00b"), errs.Invalid, "UTF-8")

		f.check(f.SetReadme(ctx, f.ann, app, ""))
		if text, err = f.Readme(ctx, f.ann, app); err != nil || text != "" {
			t.Errorf("%q, %v; want none", text, err)
		}
	})
}
