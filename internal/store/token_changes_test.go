package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

// tokenWorld is a store of either engine with the users ann and bob, the
// organization acme of ann, ann's package app and her repository src.
type tokenWorld struct {
	*store.Store
	db                                   *database.DB
	ann, bob, acme, app, gone, src, rule int64
}

func onTokenWorlds(t *testing.T, run func(t *testing.T, w tokenWorld)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		if err := store.Migrate(ctx, db); err != nil {
			t.Fatal(err)
		}
		w := tokenWorld{Store: store.New(db), db: db}
		w.ann, w.bob = addUser(t, w.Store, "ann"), addUser(t, w.Store, "bob")
		var err error
		w.acme, err = w.CreateOrganization(ctx, organization("acme"), w.ann, entry("organization.create"))
		if err != nil {
			t.Fatal(err)
		}
		w.app = w.id(t, `INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by)
			VALUES (?, 'container', 'app', 'private', 0, 0) RETURNING id`, w.ann)
		w.gone = w.id(t, `INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, deleted_at)
			VALUES (?, 'container', 'gone', 'private', 0, 0, 1) RETURNING id`, w.ann)
		w.src = w.id(t, `INSERT INTO repositories (owner_id, name, visibility, created_at) VALUES (?, 'src', 'private', 0) RETURNING id`, w.ann)
		w.rule = w.id(t, `INSERT INTO trust_rules (owner_id, repository_id, issuer, audience, claims, actions, created_at, created_by)
			VALUES (?, ?, 'https://issuer.test', 'x', '{}', 3, 0, 0) RETURNING id`, w.ann, w.src)
		run(t, w)
	})
}

// id runs a statement that returns one.
func (w tokenWorld) id(t *testing.T, query string, args ...any) (id int64) {
	t.Helper()
	err := w.db.Write(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		return tx.QueryRow(ctx, query, args...).Scan(&id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (w tokenWorld) fineGrained(t *testing.T, hash string, limits ...access.Limit) (int64, error) {
	t.Helper()
	return w.CreateToken(t.Context(), token.Token{
		AccountID: w.ann, Kind: token.FineGrained, SecretHash: hash, Scopes: access.AllScopes, CreatedAt: noon,
		ExpiresAt: noon.Add(time.Hour), Limited: true,
	}, limits, entry("token.create"))
}

func TestALimitedTokenIsKeptWithItsLimits(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		id, err := w.fineGrained(t, "aa",
			access.Limit{OwnerID: w.bob, Actions: access.Remove},
			access.Limit{OwnerID: w.ann, PackageID: w.app, Actions: access.Push},
			access.Limit{OwnerID: w.ann, PackageID: w.app, Actions: access.Pull})
		if err != nil {
			t.Fatal(err)
		}
		want := []access.Limit{
			{OwnerID: w.ann, PackageID: w.app, Actions: access.Pull | access.Push}, {OwnerID: w.bob, Actions: access.Remove},
		}
		got, err := w.Limits(t.Context(), id)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		names, err := w.LimitNames(t.Context(), id)
		said := []token.LimitName{{Name: "ann/app", Actions: access.Pull | access.Push}, {Name: "bob", Actions: access.Remove}}
		if diff := cmp.Diff(said, names); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
		if tok, _, err := w.TokenByID(t.Context(), id); !tok.Limited || tok.Kind != token.FineGrained || err != nil {
			t.Errorf("%+v, %v", tok, err)
		}
		if got, err := w.Limits(t.Context(), 4711); len(got) != 0 || err != nil {
			t.Errorf("limits of no token: %v, %v", got, err)
		}
	})
}

// A token that cannot have one of its limits is not made at all.
func TestALimitOnWhatIsNotThere(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		for what, l := range map[string]access.Limit{
			"an unknown account":  {OwnerID: 4711, Actions: access.Pull},
			"an unknown package":  {OwnerID: w.ann, PackageID: 4711, Actions: access.Pull},
			"a deleted package":   {OwnerID: w.ann, PackageID: w.gone, Actions: access.Pull},
			"a package of others": {OwnerID: w.bob, PackageID: w.app, Actions: access.Pull},
		} {
			_, err := w.fineGrained(t, "aa", access.Limit{OwnerID: w.ann, Actions: access.Pull}, l)
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if list, err := w.Tokens(t.Context(), w.ann); len(list) != 0 || err != nil {
			t.Errorf("there are %v, %v", list, err)
		}
	})
}

func TestAWorkflowTokenIsKeptWithWhatItIsBoundTo(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		ctx := t.Context()
		want := token.Token{
			AccountID: w.ann, Kind: token.Workflow, SecretHash: "aa", Scopes: access.ReadPackages, CreatedAt: noon,
			ExpiresAt: noon.Add(time.Hour), RepositoryID: w.src, TrustID: w.rule, Codespace: true,
		}
		var err error
		if want.ID, err = w.CreateToken(ctx, want, nil, entry("workflow_token.create")); err != nil {
			t.Fatal(err)
		}
		got, h, err := w.TokenBySecret(ctx, "aa")
		if diff := cmp.Diff(want, got); diff != "" || h.AccountID != w.ann || h.Repository.String() != "ann/src" || h.Distrusted || err != nil {
			t.Errorf("%+v, %v\n%s", h, err, diff)
		}
		if list, err := w.Tokens(ctx, w.ann); len(list) != 0 || err != nil {
			t.Errorf("among ann's own are %v, %v", list, err)
		}
		for at, n := range map[time.Time]int{noon: 1, noon.Add(time.Hour): 0} {
			if list, err := w.RepositoryTokens(ctx, w.src, at); len(list) != n || err != nil {
				t.Errorf("at %v the repository's are %v, %v", at, list, err)
			}
		}
		if list, err := w.RepositoryTokens(ctx, 4711, noon); len(list) != 0 || err != nil {
			t.Errorf("of no repository: %v, %v", list, err)
		}
		w.id(t, `DELETE FROM trust_rules WHERE id = ? RETURNING id`, w.rule)
		if _, h, err := w.TokenByID(ctx, want.ID); !h.Distrusted || err != nil {
			t.Errorf("without the rule: %+v, %v", h, err)
		}
		w.id(t, `UPDATE repositories SET owner_id = ?, name = 'moved' WHERE id = ? RETURNING id`, w.bob, w.src)
		if _, h, err := w.TokenByID(ctx, want.ID); h.AccountID != w.bob || h.Repository.String() != "bob/moved" || err != nil {
			t.Errorf("after the move: %+v, %v", h, err)
		}
		w.id(t, `UPDATE repositories SET deleted_at = 1 WHERE id = ? RETURNING id`, w.src)
		if _, h, err := w.TokenByID(ctx, want.ID); !h.Repository.IsZero() || h.AccountID != w.ann || err != nil {
			t.Errorf("without the repository: %+v, %v", h, err)
		}
	})
}

func TestATokenForWhatIsNotThere(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		good := token.Token{AccountID: w.ann, Kind: token.Workflow, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), RepositoryID: w.src}
		for what, change := range map[string]func(*token.Token){
			"an unknown account":      func(n *token.Token) { n.AccountID = 4711 },
			"an unknown repository":   func(n *token.Token) { n.RepositoryID = 4711 },
			"a repository of another": func(n *token.Token) { n.AccountID = w.bob },
			"an unknown rule":         func(n *token.Token) { n.TrustID = 4711 },
		} {
			n := good
			n.SecretHash = what
			change(&n)
			if _, err := w.CreateToken(t.Context(), n, nil, entry("workflow_token.create")); !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		w.id(t, `UPDATE repositories SET deleted_at = 1 WHERE id = ? RETURNING id`, w.src)
		if _, err := w.CreateToken(t.Context(), good, nil, entry("workflow_token.create")); !errs.Is(err, errs.NotFound) {
			t.Errorf("a deleted repository: %v", err)
		}
	})
}

func TestOnlyTokensOfMembersAreAuthorized(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		ctx := t.Context()
		anns, bobs := addToken(t, w.Store, w.ann, "aa"), addToken(t, w.Store, w.bob, "bb")
		job, err := w.CreateToken(ctx, token.Token{
			AccountID: w.ann, Kind: token.Workflow, SecretHash: "jj", CreatedAt: noon, ExpiresAt: noon.Add(time.Hour), RepositoryID: w.src,
		}, nil, entry("workflow_token.create"))
		if err != nil {
			t.Fatal(err)
		}
		authorize := func(id, organization int64) error {
			return w.AuthorizeToken(ctx, id, organization, entry("token.authorize"))
		}
		for what, err := range map[string]error{
			"a stranger's":            authorize(bobs.ID, w.acme),
			"none":                    authorize(4711, w.acme),
			"a job's":                 authorize(job, w.acme),
			"for a user":              authorize(anns.ID, w.bob),
			"taken back, never given": w.DeauthorizeToken(ctx, anns.ID, w.acme, entry("token.deauthorize")),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for range 2 { // again is no error
			if err := authorize(anns.ID, w.acme); err != nil {
				t.Error(err)
			}
		}
		if n := w.id(t, `UPDATE token_authorizations SET created_at = created_at RETURNING token_id`); n != anns.ID {
			t.Errorf("authorized is %d", n)
		}
		if err := w.DeauthorizeToken(ctx, anns.ID, w.acme, entry("token.deauthorize")); err != nil {
			t.Error(err)
		}
		if err := w.RevokeToken(ctx, w.ann, anns.ID, entry("token.revoke")); err != nil {
			t.Fatal(err)
		}
		if err := authorize(anns.ID, w.acme); !errs.Is(err, errs.NotFound) {
			t.Errorf("a revoked one: %v", err)
		}
		entries, err := w.AuditEntries(ctx, audit.Query{Limit: 2})
		if err != nil || entries[0].Action != "token.revoke" || entries[1].Action != "token.deauthorize" {
			t.Errorf("recorded are %+v, %v", entries, err)
		}
	})
}

func TestADeletedAccountsTokensKnowIt(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		tok := addToken(t, w.Store, w.bob, "bb")
		w.id(t, `UPDATE accounts SET deleted_at = 1, password_changed_at = 7 WHERE id = ? RETURNING id`, w.bob)
		if _, h, err := w.TokenByID(t.Context(), tok.ID); !h.Deleted || err != nil {
			t.Errorf("%+v, %v", h, err)
		}
		if h, err := w.HolderByID(t.Context(), w.bob); !h.Deleted || h.Generation != 7 || err != nil {
			t.Errorf("%+v, %v", h, err)
		}
		_, err := w.CreateToken(t.Context(), token.Token{AccountID: w.bob, Kind: token.Personal, SecretHash: "cc", CreatedAt: noon}, nil, entry("token.create"))
		if !errs.Is(err, errs.NotFound) {
			t.Errorf("a new one: %v", err)
		}
	})
}

func TestWorkflowTokensAreForgottenOnceTheyEnded(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		ctx := t.Context()
		addToken(t, w.Store, w.ann, "aa") // a user's, which ends like the first job's
		var ids []int64
		for i := range 4 {
			id, err := w.CreateToken(ctx, token.Token{
				AccountID: w.ann, Kind: token.Workflow, SecretHash: string(rune('p' + i)), CreatedAt: noon, Limited: true,
				ExpiresAt: noon.Add(time.Duration(i+1) * time.Hour), RepositoryID: w.src,
			}, []access.Limit{{OwnerID: w.ann, Actions: access.Pull}}, entry("workflow_token.create"))
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		for _, want := range []int{2, 1, 0} {
			if n, err := w.ForgetJobTokens(ctx, noon.Add(4*time.Hour), 2); n != want || err != nil {
				t.Errorf("forgot %d, %v; want %d", n, err, want)
			}
		}
		if list, err := w.RepositoryTokens(ctx, w.src, noon); len(list) != 1 || list[0].ID != ids[3] || err != nil {
			t.Errorf("left are %v, %v", list, err)
		}
		for i, want := range []int{0, 0, 0, 1} {
			if l, err := w.Limits(ctx, ids[i]); len(l) != want || err != nil {
				t.Errorf("limits of %d: %v, %v", i, l, err)
			}
		}
		if list, err := w.Tokens(ctx, w.ann); len(list) != 1 || err != nil {
			t.Errorf("ann's own are %v, %v", list, err)
		}
	})
}

// Who comes back to an organization starts anew, with single sign-on too.
func TestLeavingAnOrganizationEndsItsAuthorizations(t *testing.T) {
	onTokenWorlds(t, func(t *testing.T, w tokenWorld) {
		ctx := t.Context()
		bobs := addToken(t, w.Store, w.bob, "bb")
		if err := w.SetMember(ctx, w.acme, w.bob, access.Member, entry("organization.member")); err != nil {
			t.Fatal(err)
		}
		if err := w.AuthorizeToken(ctx, bobs.ID, w.acme, entry("token.authorize")); err != nil {
			t.Fatal(err)
		}
		if err := w.RemoveMember(ctx, w.acme, w.bob, entry("organization.member")); err != nil {
			t.Fatal(err)
		}
		if n := w.id(t, `SELECT COUNT(*) FROM token_authorizations`); n != 0 {
			t.Errorf("%d authorizations are left", n)
		}
	})
}
