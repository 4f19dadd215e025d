package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/audit"
	"packhouse/internal/packages"
	"packhouse/internal/token"
)

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// as is the header of a caller's token.
func (w *matrixWorld) as(login string) http.Header { return basicHeader(login, w.secrets[login]) }

// at asks the Container registry.
func (w *matrixWorld) at(method, path string, as http.Header, body string) (*http.Response, string) {
	w.t.Helper()
	return w.ask(w.t, method, containersHost, "/v2/"+path, as, strings.NewReader(body))
}

func (w *matrixWorld) want(status int, method, path string, as http.Header, body string) {
	w.t.Helper()
	if res, text := w.at(method, path, as, body); res.StatusCode != status {
		w.t.Errorf("%s %s: %d %s, want %d", method, path, res.StatusCode, text, status)
	}
}

// upload stores a blob.
func (w *matrixWorld) upload(name, content string, as http.Header) string {
	w.t.Helper()
	w.want(201, "POST", name+"/blobs/uploads/?digest="+digestOf(content), as, content)
	return digestOf(content)
}

const smallManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",` +
	`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"` + emptyConfig + `","size":2},"layers":[],"annotations":{"a":"b"}}`

// manifestHeader adds the type of smallManifest.
func manifestHeader(as http.Header) http.Header {
	h := as.Clone()
	h.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	return h
}

// What went wrong in other registries does not here.
func TestAdvisories(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	for name, check := range map[string]func(*matrixWorld){
		"SEC-001 CVE-2026-41888, SEC-045": (*matrixWorld).deletionNeedsItsScopeInEveryWay,
		"SEC-002 CVE-2026-35172":          (*matrixWorld).aDeletedBlobStaysDeleted,
		"SEC-010 CVE-2024-39897, SEC-061": (*matrixWorld).aDigestIsNoKey,
		"SEC-013 CVE-2026-31801":          (*matrixWorld).whoMayCreateMayNotOverwrite,
		"SEC-014":                         (*matrixWorld).aTagIsNotMovedBesideADigest,
		"SEC-021 CVE-2019-19023, SEC-027": (*matrixWorld).numbersOfOthersAreNoUse,
		"SEC-026 CVE-2020-29662":          (*matrixWorld).noSpellingOfAPathIsOpen,
		"SEC-028 CVE-2022-46463":          (*matrixWorld).theFirstPushIsPrivate,
		"SEC-031 CVE-2024-22278":          (*matrixWorld).settingsAreForAdmins,
		"SEC-040 CVE-2026-32589":          (*matrixWorld).anUploadIsItsOwners,
		"SEC-046 CVE-2019-10205":          (*matrixWorld).theDatabaseHoldsNoCredential,
		"SEC-050 CVE-2026-27771":          (*matrixWorld).nothingOfAPrivatePackageGoesOut,
		"SEC-066 CVE-2026-26196":          (*matrixWorld).addressesHoldNoCredentials,
		"SEC-072":                         (*matrixWorld).readingNeedsItsScope,
		"SEC-076 CVE-2024-4956":           (*matrixWorld).noPathLeadsToAFile,
	} {
		t.Run(name, func(t *testing.T) {
			inner := *w
			inner.t = t
			check(&inner)
		})
	}
}

func (w *matrixWorld) deletionNeedsItsScopeInEveryWay() {
	w.image(containersHost, "acme/kept")
	writer := basicHeader("orgowner", w.personal("orgowner", token.NewToken{Scopes: access.ReadPackages | access.WritePackages}))
	head, _ := w.at("HEAD", "acme/kept/manifests/1", writer, "")
	digest := head.Header.Get("Docker-Content-Digest")
	bearer := w.bearer(w.t, containersHost, "repository:acme/kept:pull,push,delete", writer)
	for _, as := range []http.Header{writer, bearer, w.as("teammate"), w.as("limited")} {
		for _, path := range []string{"acme/kept/manifests/1", "acme/kept/manifests/" + digest, "acme/kept/blobs/" + emptyConfig} {
			if res, text := w.at("DELETE", path, as, ""); res.StatusCode != 401 && res.StatusCode != 404 {
				w.t.Errorf("DELETE %s: %d %s", path, res.StatusCode, text)
			}
		}
	}
	w.want(200, "GET", "acme/kept/manifests/1", writer, "")
	w.want(200, "GET", "acme/kept/blobs/"+emptyConfig, writer, "")
}

func (w *matrixWorld) aDeletedBlobStaysDeleted() {
	olga := w.as("olga")
	d := w.upload("olga/one", "shared", olga)
	w.upload("olga/two", "shared", olga)
	w.want(200, "GET", "olga/one/blobs/"+d, olga, "")
	w.want(202, "DELETE", "olga/one/blobs/"+d, olga, "")
	for _, touch := range []struct{ method, path string }{
		{"HEAD", "olga/two/blobs/" + d}, {"GET", "olga/two/blobs/" + d}, {"POST", "olga/two/blobs/uploads/?mount=" + d + "&from=olga/two"},
	} {
		w.at(touch.method, touch.path, olga, "")
		w.want(404, "GET", "olga/one/blobs/"+d, olga, "")
		w.want(404, "HEAD", "olga/one/blobs/"+d, olga, "")
	}
	w.upload("olga/two", "shared", olga)
	w.want(404, "GET", "olga/one/blobs/"+d, olga, "")
	w.want(200, "GET", "olga/two/blobs/"+d, olga, "")
}

// One who may not read a blob gets nowhere with its digest, and no other answer
// than with one that nobody has.
func (w *matrixWorld) aDigestIsNoKey() {
	d := w.upload("acme/private", "a secret layer", w.as("orgowner"))
	stranger := w.as("stranger")
	for _, path := range []string{
		"stranger/own/blobs/uploads/?mount=DIGEST", "stranger/own/blobs/uploads/?mount=DIGEST&from=acme/private",
		"stranger/own/blobs/uploads/?mount=DIGEST&from=acme/public", "stranger/own/blobs/uploads/?mount=DIGEST&from=none/none",
	} {
		known, _ := w.at("POST", strings.Replace(path, "DIGEST", d, 1), stranger, "")
		other, _ := w.at("POST", strings.Replace(path, "DIGEST", otherDigest, 1), stranger, "")
		if known.StatusCode != 202 || other.StatusCode != 202 || len(known.Header) != len(other.Header) || known.Header.Get("Docker-Content-Digest") != "" {
			w.t.Errorf("%s: %d %v for a digest that is held, %d %v for none", path, known.StatusCode, known.Header, other.StatusCode, other.Header)
		}
		w.want(404, "GET", "stranger/own/blobs/"+d, stranger, "")
	}
	w.want(400, "POST", "stranger/own/blobs/uploads/?digest="+d, stranger, "other bytes")
	w.want(400, "POST", "stranger/own/blobs/uploads/?digest="+d, stranger, "")
	w.want(404, "HEAD", "stranger/own/blobs/"+d, stranger, "")
	w.want(404, "GET", "acme/private/blobs/"+d, stranger, "")
	w.upload("stranger/own", "a secret layer", stranger) // who has the bytes may have them
}

func (w *matrixWorld) whoMayCreateMayNotOverwrite() {
	before, _ := w.at("HEAD", "acme/private/manifests/1", w.as("orgowner"), "")
	for _, tag := range []string{"1", "latest", "v1", "sha256-" + strings.Repeat("a", 64), strings.Repeat("t", 128)} {
		for _, as := range []http.Header{w.as("member"), basicHeader("job", w.secrets["job of acme/other"])} {
			w.want(401, "PUT", "acme/private/manifests/"+tag, manifestHeader(as), smallManifest)
		}
	}
	after, _ := w.at("HEAD", "acme/private/manifests/1", w.as("orgowner"), "")
	if d := after.Header.Get("Docker-Content-Digest"); d == "" || d != before.Header.Get("Docker-Content-Digest") {
		w.t.Errorf("the tag leads to %q", d)
	}
}

func (w *matrixWorld) aTagIsNotMovedBesideADigest() {
	w.image(containersHost, "acme/tagged")
	elsewhere := w.bearer(w.t, containersHost, "repository:acme/elsewhere:pull,push", w.as("orgowner"))
	for _, as := range []http.Header{w.as("member"), w.as("outside"), elsewhere} {
		w.want(401, "PUT", "acme/tagged/manifests/"+digestOf(smallManifest)+"?tag=1", manifestHeader(as), smallManifest)
	}
	head, _ := w.at("HEAD", "acme/tagged/manifests/1", w.as("orgowner"), "")
	if d := head.Header.Get("Docker-Content-Digest"); d == "" || d == digestOf(smallManifest) {
		w.t.Errorf("the tag leads to %q", d)
	}
}

func (w *matrixWorld) numbersOfOthersAreNoUse() {
	ctx, tokens := w.t.Context(), w.app.personalTokens()
	olga, err := w.app.Accounts.Get(ctx, "olga")
	w.check(err)
	stranger, err := w.app.Accounts.Get(ctx, "stranger")
	w.check(err)
	list, err := tokens.List(ctx, olga.ID)
	w.check(err)
	for _, own := range list {
		if err := tokens.Revoke(ctx, audit.By(access.Principal{AccountID: stranger.ID, Login: "stranger"}), stranger.ID, own.ID); err == nil {
			w.t.Errorf("a stranger revoked token %d", own.ID)
		}
	}
	w.want(200, "GET", "olga/private/tags/list", w.as("olga"), "")
	theirs, _ := w.at("POST", "olga/private/blobs/uploads/", w.as("olga"), "")
	id := theirs.Header.Get("Docker-Upload-Uuid")
	w.want(404, "GET", "stranger/own/blobs/uploads/"+id, w.as("stranger"), "")
	w.want(404, "GET", "olga/public/blobs/uploads/"+id, w.as("olga"), "") // another package than the upload's
}

// noSpellingOfAPathIsOpen tries ways to write a path that some router takes for
// another than the one that its guards look at.
func (w *matrixWorld) noSpellingOfAPathIsOpen() {
	for _, as := range []http.Header{nil, w.as("stranger")} {
		for _, path := range []string{
			"/v2/acme/private/tags/list/", "/v2/acme/private/tags//list", "/v2//acme/private/tags/list", "//v2/acme/private/tags/list",
			"/v2/acme%2Fprivate/tags/list", "/v2/acme/private%2ftags/list", "/v2/acme/private;x/tags/list", "/v2/acme/private/tags/list;x",
			"/V2/acme/private/tags/list", "/v2/acme/./private/tags/list", "/v2/x/../acme/private/tags/list", "/v2/acme/private/tags/list%00",
			"/v2/acme/private/tags/list%20", "/v2/acme/private/manifests/1/", "/v2/acme/private/manifests//1", "/v2/acme/private/blobs/" + emptyConfig + "/",
			"/v2/ACME/private/tags/list", "/v2/acme/private/TAGS/list", "/healthz/../v2/acme/private/tags/list", "/token/../v2/acme/private/tags/list",
			"/v2/acme/public/../private/tags/list", "/v2/acme/public/blobs/uploads/../../../private/tags/list", "/v2/acme/private/tags/list.json",
		} {
			if res, text := w.ask(w.t, "GET", containersHost, path, as, nil); res.StatusCode == 200 || strings.Contains(text, `"tags"`) {
				w.t.Errorf("%s: %d %s", path, res.StatusCode, text)
			}
		}
		for _, path := range []string{"/v2/_catalog", "/v2/_catalog/", "/v2//_catalog", "/v2/_catalog;x", "/v2/_CATALOG", "/v2/%5fcatalog"} {
			if _, text := w.ask(w.t, "GET", containersHost, path, as, nil); strings.Contains(text, "private") {
				w.t.Errorf("%s: %s", path, text)
			}
		}
	}
}

func (w *matrixWorld) theFirstPushIsPrivate() {
	for _, push := range []struct{ host, name string }{
		{containersHost, "olga/first"}, {containersHost, "acme/first"}, {dockerHost, "acme/src-private/first"},
	} {
		w.image(push.host, push.name)
		for _, as := range []http.Header{nil, w.as("stranger"), basicHeader("", "")} {
			res, text := w.ask(w.t, "GET", push.host, "/v2/"+push.name+"/manifests/1", as, nil)
			_, listed := w.ask(w.t, "GET", push.host, "/v2/_catalog", as, nil)
			if res.StatusCode == 200 || strings.Contains(listed, push.name) {
				w.t.Errorf("%s: %d %s; the catalog is %s", push.name, res.StatusCode, text, listed)
			}
		}
	}
}

func (w *matrixWorld) settingsAreForAdmins() {
	ctx, p, pkg := w.t.Context(), w.app.Packages, w.container("acme/private")
	grantee := packages.Grantee{Kind: packages.User, Name: "member"}
	for caller, who := range w.principals() {
		for what, err := range map[string]error{
			"visibility": p.SetVisibility(ctx, who, pkg, access.Public),
			"grant":      p.Grant(ctx, who, pkg, packages.Grant{Grantee: grantee, Role: access.RoleAdmin}),
			"revoke":     p.Revoke(ctx, who, pkg, packages.Grantee{Kind: packages.Team, Name: "acme/writers"}),
			"unlink":     p.Unlink(ctx, who, pkg),
			"link":       p.Link(ctx, who, pkg, "acme/other", true),
			"inherit":    p.SetInherits(ctx, who, pkg, true),
			"rename":     p.Rename(ctx, who, pkg, "acme/renamed"),
			"transfer":   p.Transfer(ctx, who, pkg, "olga"),
		} {
			if err == nil {
				w.t.Errorf("%s changed: %s", caller, what)
			}
		}
	}
	w.want(404, "GET", "acme/private/tags/list", w.as("stranger"), "")
	w.want(404, "GET", "acme/private/tags/list", w.as("member"), "")
	w.want(200, "GET", "acme/private/tags/list", w.as("teammate"), "")
}

// principals are callers without the role admin on acme's packages.
func (w *matrixWorld) principals() map[string]access.Principal {
	all := map[string]access.Principal{"nobody": {}}
	headers := map[string]http.Header{"limited": basicHeader("orgowner", w.secrets["limited"]), "job of acme/other": basicHeader("x", w.secrets["job of acme/other"])}
	for _, login := range []string{"stranger", "olga", "member", "teammate", "outside"} {
		headers[login] = w.as(login)
	}
	for caller, header := range headers {
		r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "/", nil)
		w.check(err)
		r.Header = header
		all[caller], err = w.app.Tokens.Authenticate(w.t.Context(), r)
		w.check(err)
	}
	return all
}

func (w *matrixWorld) anUploadIsItsOwners() {
	begun, text := w.at("POST", "acme/public/blobs/uploads/", w.as("orgowner"), "")
	location := strings.TrimPrefix(begun.Header.Get("Location"), "/v2/")
	if begun.StatusCode != 202 || location == "" {
		w.t.Fatalf("%d %s", begun.StatusCode, text)
	}
	path, _, _ := strings.Cut(location, "?")
	content := "an upload"
	for caller, as := range map[string]http.Header{
		"nobody": nil, "stranger": w.as("stranger"), "site administrator": w.as("admin"), "colleague": w.as("teammate"),
		"job": basicHeader("x", w.secrets["job of acme/code"]),
	} {
		for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
			target := path
			if method == "PUT" {
				target += "?digest=" + digestOf(content)
			}
			if res, text := w.at(method, target, as, content); res.StatusCode != 401 && res.StatusCode != 404 {
				w.t.Errorf("%s by %s: %d %s", method, caller, res.StatusCode, text)
			}
		}
	}
	w.want(404, "PATCH", strings.Replace(path, "acme/public", "acme/private", 1), w.as("orgowner"), content)
	w.want(201, "PUT", path+"?digest="+digestOf(content), w.as("orgowner"), content)
}

// theDatabaseHoldsNoCredential tries every text of the database as a credential.
func (w *matrixWorld) theDatabaseHoldsNoCredential() {
	tried := 0
	for table, columns := range w.textColumns() {
		rows, err := w.app.db.SQL().QueryContext(w.t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
		w.check(err)
		values, dest := make([]string, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		for rows.Next() {
			w.check(rows.Scan(dest...))
			for _, value := range values {
				if value == "" || strings.ContainsAny(value, "\r\n") {
					continue
				}
				tried++
				ways := []http.Header{bearerHeader(value)}
				if table == "tokens" || table == "accounts" || table == "web_sessions" {
					ways = append(ways, basicHeader("orgowner", value))
				}
				for _, as := range ways {
					if res, _ := w.at("GET", "acme/private/tags/list", as, ""); res.StatusCode == 200 {
						w.t.Errorf("a text of the table %s is a credential", table)
					}
				}
			}
		}
		w.check(rows.Err())
		w.check(rows.Close())
	}
	if tried < 100 {
		w.t.Errorf("only %d texts were tried", tried)
	}
}

func (w *matrixWorld) textColumns() map[string][]string {
	rows, err := w.app.db.SQL().QueryContext(w.t.Context(), `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND c.type = 'TEXT' AND c."notnull" = 1`)
	w.check(err)
	defer func() { _ = rows.Close() }()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		w.check(rows.Scan(&table, &column))
		columns[table] = append(columns[table], column)
	}
	w.check(rows.Err())
	return columns
}

func (w *matrixWorld) nothingOfAPrivatePackageGoesOut() {
	w.want(201, "PUT", "acme/private/manifests/mark", manifestHeader(w.as("orgowner")), smallManifest)
	secrets := []string{digestOf(smallManifest), `"annotations"`, `"layers"`, `"mark"`}
	for _, as := range []http.Header{nil, w.as("stranger"), w.exchange(families[0], "private", nil), w.exchange(families[0], "private", w.as("stranger"))} {
		for _, r := range v2.Routes() {
			for _, path := range []string{"mark", digestOf(smallManifest)} {
				tr := trials[r.Method+" "+r.Pattern]
				tr.path = strings.ReplaceAll(strings.ReplaceAll(tr.path, "/manifests/1", "/manifests/"+path), "{name}", "acme/private")
				res, text := w.ask(w.t, r.Method, containersHost, tr.path, as, strings.NewReader(tr.body))
				text = fmt.Sprint(res.Header, text)
				if r.Method != http.MethodHead && slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(text, s) && !strings.Contains(tr.path, s) }) {
					w.t.Errorf("%s %s tells %s", r.Method, tr.path, text)
				}
			}
		}
	}
}

// addressesHoldNoCredentials: a token in a query is none, and does not get into
// the log.
func (w *matrixWorld) addressesHoldNoCredentials() {
	secret := w.secrets["orgowner"]
	for _, query := range []string{"access_token=", "token=", "private_token=", "authorization=Bearer+", "password=", "client_secret="} {
		if res, text := w.at("GET", "acme/private/tags/list?"+query+secret, nil, ""); res.StatusCode != 401 && res.StatusCode != 400 {
			w.t.Errorf("?%s: %d %s", query, res.StatusCode, text)
		}
		res, text := w.ask(w.t, "GET", containersHost, "/token?scope=repository:acme/private:pull&username=orgowner&"+query+secret, nil, nil)
		if res.StatusCode == 200 && !strings.Contains(text, `"scope":""`) {
			w.t.Errorf("/token?%s: %d %s", query, res.StatusCode, text)
		}
	}
	if strings.Contains(w.log.String(), secret) {
		w.t.Error("the log holds a token")
	}
}

func (w *matrixWorld) readingNeedsItsScope() {
	for scopes, want := range map[access.Scopes]int{access.DeletePackages: 401, access.Repo: 401, access.ReadPackages: 200, access.WritePackages: 200} {
		as := basicHeader("orgowner", w.personal("orgowner", token.NewToken{Scopes: scopes}))
		w.want(want, "GET", "acme/private/manifests/1", as, "")
		w.want(200, "GET", "acme/public/manifests/1", as, "")
	}
}

func (w *matrixWorld) noPathLeadsToAFile() {
	ups := []string{"..%2F", "../", "%2e%2e/", "..%5c", "%2e%2e%2f", "..%252f", "....//", "..;/", "%c0%ae%c0%ae/"}
	for _, host := range []string{"packages.test.example", containersHost, dockerHost} {
		for _, prefix := range []string{"/", "//", "/%2F%2F", "/v2/", "/v2/acme/public/blobs/", "/assets/", "/static/", "/token/", "/healthz/"} {
			for _, up := range ups {
				for _, file := range []string{"etc/passwd", "packhouse.db", "go.mod"} {
					path := prefix + strings.Repeat(up, 6) + file
					res, text := w.ask(w.t, "GET", host, path, nil, nil)
					if res.StatusCode == 200 || strings.Contains(text, "root:") || strings.Contains(text, "SQLite format") || strings.Contains(text, "module packhouse") {
						w.t.Errorf("%s%s: %d", host, path, res.StatusCode)
					}
				}
			}
		}
	}
}
