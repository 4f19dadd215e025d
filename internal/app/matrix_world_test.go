package app

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/token"
)

// matrixWorld is a server with an account of every kind: the organization acme
// with its owner, members and repositories, and the user olga.
type matrixWorld struct {
	*running
	t       *testing.T
	secrets map[string]string // of each caller's token
	expired string
	revoked string
}

const matrixPassword = "a long password"

func (w *matrixWorld) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func newMatrixWorld(t *testing.T) *matrixWorld {
	t.Helper()
	cfg := testConfig(t)
	cfg.SubdomainIsolation = true
	cfg.API.RateLimit, cfg.API.AnonymousRateLimit = 0, 0
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} // tests say where they come from
	w := &matrixWorld{running: composed(t, cfg), t: t, secrets: map[string]string{}}
	ctx, a := t.Context(), w.app.Accounts
	for _, login := range []string{"stranger", "olga", "orgowner", "member", "teammate", "outside", "suspended"} {
		_, err := a.CreateUser(ctx, audit.Operator, account.NewUser{Login: login, Password: matrixPassword})
		w.check(err)
	}
	_, err := a.CreateOrganization(ctx, audit.Operator, "acme", "orgowner")
	w.check(err)
	for _, login := range []string{"member", "teammate", "suspended"} {
		w.check(a.SetMember(ctx, audit.Operator, "acme", login, access.Member))
	}
	_, err = a.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: "writers"})
	w.check(err)
	w.check(a.AddToTeam(ctx, audit.Operator, "acme", "writers", "teammate"))
	w.repositories()
	w.images()
	w.tokens()
	w.check(a.Suspend(ctx, audit.Operator, "suspended", true))
	return w
}

// repositories makes one of each visibility for the Docker registry, and two
// whose jobs push to the Container registry.
func (w *matrixWorld) repositories() {
	ctx, a := w.t.Context(), w.app.Accounts
	for name, v := range map[string]access.Visibility{
		"acme/src-public": access.Public, "acme/src-private": access.Private, "acme/src-internal": access.Internal,
		"acme/code": access.Private, "acme/other": access.Private, "olga/code": access.Private,
	} {
		_, err := a.CreateRepository(ctx, audit.Operator, name, v)
		w.check(err)
		if strings.HasPrefix(name, "acme/src-") {
			w.check(a.GrantRepository(ctx, audit.Operator, name, account.RepositoryGrant{Team: "writers", Role: access.RepositoryWrite}))
			w.check(a.GrantRepository(ctx, audit.Operator, name, account.RepositoryGrant{User: "outside", Role: access.RepositoryWrite}))
		}
	}
}

// images pushes what the matrix asks for, and sets who may do what with it.
func (w *matrixWorld) images() {
	ctx, p := w.t.Context(), w.app.Packages
	for _, v := range []access.Visibility{access.Public, access.Private, access.Internal} {
		w.image(dockerHost, "acme/src-"+string(v)+"/img")
		w.image(containersHost, "acme/"+string(v))
		pkg := w.container("acme/" + string(v))
		w.check(p.SetVisibility(ctx, operator(), pkg, v))
		w.check(p.Link(ctx, operator(), pkg, "acme/code", false))
		w.check(p.Grant(ctx, operator(), pkg, packages.Grant{Grantee: packages.Grantee{Kind: packages.Team, Name: "acme/writers"}, Role: access.RoleWrite}))
		if v == access.Public {
			w.check(p.Grant(ctx, operator(), pkg, packages.Grant{Grantee: packages.Grantee{Kind: packages.User, Name: "outside"}, Role: access.RoleWrite}))
		}
		if v != access.Internal {
			w.image(containersHost, "olga/"+string(v))
			w.check(p.SetVisibility(ctx, operator(), w.container("olga/"+string(v)), v))
		}
	}
}

func (w *matrixWorld) image(host, name string) {
	w.t.Helper()
	if status, text := w.push(w.t, host, name); status != 201 {
		w.t.Fatalf("push of %s: %d %s", name, status, text)
	}
}

func (w *matrixWorld) container(name string) access.Package {
	n, err := oci.ParseName(name)
	w.check(err)
	return access.Package{Type: access.Container, Name: n}
}

// tokens makes a token for each caller.
func (w *matrixWorld) tokens() {
	for _, login := range []string{"admin", "stranger", "olga", "orgowner", "member", "teammate", "outside", "suspended"} {
		w.secrets[login] = w.personal(login, token.NewToken{Scopes: access.AllScopes})
	}
	private, err := w.app.Store.Package(w.t.Context(), operator(), w.container("acme/private"))
	w.check(err)
	w.secrets["limited"] = w.personal("orgowner", token.NewToken{
		ExpiresAt: time.Now().Add(time.Hour),
		Limits:    []access.Limit{{OwnerID: private.Facts.OwnerID, PackageID: private.Facts.PackageID, Actions: access.Pull | access.Push}},
	})
	for caller, repository := range map[string]string{
		"job of acme/code": "acme/code", "job of acme/other": "acme/other", "job of olga/code": "olga/code",
		"job of acme/src-public": "acme/src-public", "job of acme/src-private": "acme/src-private", "job of acme/src-internal": "acme/src-internal",
	} {
		w.secrets[caller] = w.job(repository, access.AllScopes, false)
	}
	w.secrets["codespace"] = w.job("acme/code", access.ReadPackages, true)
	w.expired, w.revoked = w.personal("orgowner", token.NewToken{Scopes: access.AllScopes}), w.personal("orgowner", token.NewToken{Scopes: access.AllScopes})
	w.end()
}

func (w *matrixWorld) personal(login string, n token.NewToken) string {
	w.t.Helper()
	user, err := w.app.Accounts.Get(w.t.Context(), login)
	w.check(err)
	n.AccountID, n.Target = user.ID, user.Login
	secret, _, err := w.app.personalTokens().Create(w.t.Context(), audit.Operator, n)
	w.check(err)
	return secret.Reveal()
}

func (w *matrixWorld) job(repository string, scopes access.Scopes, codespace bool) string {
	w.t.Helper()
	r, err := w.app.Accounts.Repository(w.t.Context(), repository)
	w.check(err)
	secret, _, err := w.app.workflowTokens().Create(w.t.Context(), audit.Operator, token.NewWorkflowToken{
		RepositoryID: r.ID, OwnerID: r.OwnerID, Scopes: scopes, ExpiresAt: time.Now().Add(time.Hour), Codespace: codespace, Target: repository,
	})
	w.check(err)
	return secret.Reveal()
}

// end lets one of the owner's two last tokens expire and revokes the other.
func (w *matrixWorld) end() {
	ctx := w.t.Context()
	user, err := w.app.Accounts.Get(ctx, "orgowner")
	w.check(err)
	list, err := w.app.personalTokens().List(ctx, user.ID)
	w.check(err)
	w.check(w.app.personalTokens().Revoke(ctx, audit.Operator, user.ID, list[0].ID))
	w.check(w.app.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE tokens SET expires_at = created_at WHERE id = ?`, list[1].ID)
		return err
	}))
}

func basicHeader(login, password string) http.Header {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(login, password)
	return r.Header
}

func bearerHeader(text string) http.Header {
	return http.Header{"Authorization": {"Bearer " + text}}
}

// badCredentials are those that hold for nobody.
func (w *matrixWorld) badCredentials() map[string]http.Header {
	return map[string]http.Header{
		"an expired token":          basicHeader("orgowner", w.expired),
		"a revoked token":           basicHeader("orgowner", w.revoked),
		"a revoked token as bearer": bearerHeader(w.revoked),
		"another's token":           basicHeader("stranger", w.secrets["orgowner"]),
		"a token with a broken end": basicHeader("orgowner", w.secrets["orgowner"][:len(w.secrets["orgowner"])-1]+"!"),
		"nonsense":                  bearerHeader("nonsense"),
		"a signature of another":    bearerHeader("eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"orgowner"}`)) + "."),
		"another scheme":            {"Authorization": {"Digest username=orgowner"}},
		"a login without a colon":   {"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("orgowner"))}},
		"two headers":               {"Authorization": {"Bearer " + w.secrets["orgowner"], "Bearer " + w.secrets["orgowner"]}},
		"an empty bearer":           {"Authorization": {"Bearer "}},
		"no base64":                 {"Authorization": {"Basic %%%"}},
	}
}
