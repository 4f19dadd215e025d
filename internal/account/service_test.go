package account_test

import (
	"errors"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func TestALoginIsTakenInAnyCase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user(t, "Ann", "")
	for _, login := range []string{"ann", "ANN", "Ann"} {
		if _, err := f.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login}); !errs.Is(err, errs.Exists) {
			t.Errorf("second user %s: %v", login, err)
		}
		if _, err := f.CreateOrganization(t.Context(), audit.Operator, login, "ann"); !errs.Is(err, errs.Exists) {
			t.Errorf("organization %s: %v", login, err)
		}
		if a, err := f.Get(t.Context(), login); a.Login != "ann" || err != nil {
			t.Errorf("Get(%s) = %+v, %v", login, a, err)
		}
	}
}

func TestAccountsThatAreNotMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.user(t, "ann", "")
	if _, err := f.CreateOrganization(t.Context(), audit.Operator, "acme", "ann"); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		do   func() error
		kind errs.Kind
	}{
		"a reserved login":         {func() error { return f.create(t, "v2", "") }, errs.Invalid},
		"a reserved login in caps": {func() error { return f.create(t, "Token", "") }, errs.Invalid},
		"a login with a slash":     {func() error { return f.create(t, "a/b", "") }, errs.Invalid},
		"a short password":         {func() error { return f.create(t, "bob", "1234567") }, errs.Invalid},
		"a huge password":          {func() error { return f.create(t, "bob", strings.Repeat("x", 1025)) }, errs.Invalid},
		"an organization of nobody": {func() error {
			_, err := f.CreateOrganization(t.Context(), audit.Operator, "new-org", "nobody")
			return err
		}, errs.NotFound},
		"an organization of another": {func() error {
			_, err := f.CreateOrganization(t.Context(), audit.Operator, "new-org", "acme")
			return err
		}, errs.NotFound},
		"a reserved organization": {func() error { _, err := f.CreateOrganization(t.Context(), audit.Operator, "orgs", "ann"); return err }, errs.Invalid},
	} {
		if err := c.do(); !errs.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", what, err, c.kind)
		}
	}
	for _, login := range []string{"v2", "bob", "new-org", "orgs"} {
		if _, err := f.Get(t.Context(), login); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s exists: %v", login, err)
		}
	}
}

func (f *fixture) create(t *testing.T, login, password string) error {
	_, err := f.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login, Password: password})
	return err
}

func TestMembers(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "")
	f.user(t, "bob", "")
	if _, err := f.CreateOrganization(ctx, audit.Operator, "acme", "Ann"); err != nil {
		t.Fatal(err)
	}
	if err := f.SetMember(ctx, audit.Operator, "Acme", "Bob", access.Member); err != nil {
		t.Fatal(err)
	}
	list, err := f.ListMembers(ctx, "ACME")
	if err != nil || len(list) != 2 || list[0] != (account.Member{Login: "ann", Role: access.Owner}) ||
		list[1] != (account.Member{Login: "bob", Role: access.Member}) {
		t.Errorf("members are %v, %v", list, err)
	}
	for what, c := range map[string]struct {
		err  error
		kind errs.Kind
	}{
		"an unknown role":           {f.SetMember(ctx, audit.Operator, "acme", "bob", "admin"), errs.Invalid},
		"no role":                   {f.SetMember(ctx, audit.Operator, "acme", "bob", ""), errs.Invalid},
		"an organization in one":    {f.SetMember(ctx, audit.Operator, "acme", "acme", access.Member), errs.NotFound},
		"a member of a user":        {f.SetMember(ctx, audit.Operator, "ann", "bob", access.Member), errs.NotFound},
		"the last owner":            {f.RemoveMember(ctx, audit.Operator, "acme", "ann"), errs.Conflict},
		"the members of a user":     {errors.Join(second(f.ListMembers(ctx, "ann"))), errs.NotFound},
		"the last owner's demotion": {f.SetMember(ctx, audit.Operator, "acme", "ann", access.Member), errs.Conflict},
	} {
		if !errs.Is(c.err, c.kind) {
			t.Errorf("%s: %v, want %v", what, c.err, c.kind)
		}
	}
	if err := f.RemoveMember(ctx, audit.Operator, "acme", "bob"); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestBootstrapMakesTheAdministratorOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "")
	password, err := f.Bootstrap(ctx, "")
	if err != nil || len(password) != 24 {
		t.Fatalf("first start: %q, %v", password, err)
	}
	who, err := f.SignIn(ctx, "admin", password, freely)
	if err != nil || !who.SiteAdmin {
		t.Errorf("the administrator signs in as %+v, %v", who, err)
	}
	for _, given := range []string{"", "another password"} {
		if again, err := f.Bootstrap(ctx, given); again != "" || err != nil {
			t.Errorf("later start: %q, %v", again, err)
		}
	}
	if _, err := f.SignIn(ctx, "admin", password, freely); err != nil {
		t.Errorf("the password was changed: %v", err)
	}
}

func TestBootstrapTakesTheGivenPassword(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	if password, err := f.Bootstrap(ctx, "correct horse"); password != "correct horse" || err != nil {
		t.Fatalf("%q, %v", password, err)
	}
	if _, err := f.SignIn(ctx, "admin", "correct horse", freely); err != nil {
		t.Error(err)
	}
	g := newFixture(t)
	if _, err := g.Bootstrap(ctx, "short"); !errs.Is(err, errs.Invalid) {
		t.Errorf("a short password: %v", err)
	}
	if password, err := g.Bootstrap(ctx, ""); password == "" || err != nil {
		t.Errorf("after the failure: %q, %v", password, err)
	}
}

// A common user of that name is not made an administrator.
func TestBootstrapLeavesAUserNamedAdminAlone(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "admin", "users password")
	if password, err := f.Bootstrap(ctx, "other password"); password != "" || err != nil {
		t.Errorf("%q, %v", password, err)
	}
	if who, err := f.SignIn(ctx, "admin", "users password", freely); who.SiteAdmin || err != nil {
		t.Errorf("%+v, %v", who, err)
	}
}
