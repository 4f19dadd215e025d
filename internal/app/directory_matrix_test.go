package app

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/token"
)

// directoryCallers are those who try every route of the directory, about the
// organization acme and its private repository code, in this order: nobody; a
// stranger; a member; a writer of the repository; its administrator from outside;
// an owner of the organization; a site administrator. Then credentials of the
// owner that are for less: a token for packages alone, a limited token, a job of
// the repository, and a bearer token of the registry.
var directoryCallers = []string{
	"nobody", "stranger", "member", "writer", "keeper", "orgowner", "admin", "few scopes", "limited", "job", "bearer",
}

// The rules of the directory: a code for each caller, where 0 is the answer to
// those who are let in.
var (
	everybody = [11]int{}
	asPeople  = [11]int{401, 0, 0, 0, 0, 0, 0, 0, 0, 403, 403}
	ownself   = [11]int{401, 0, 0, 0, 0, 0, 0, 403, 403, 403, 403}
	anySelf   = [11]int{401, 0, 0, 0, 0, 0, 0, 0, 403, 403, 403}
	insiders  = [11]int{401, 404, 0, 404, 404, 0, 0, 403, 403, 403, 403}
	askers    = [11]int{401, 0, 0, 0, 0, 0, 0, 403, 403, 403, 403}
	orgAdmin  = [11]int{401, 403, 403, 403, 403, 0, 0, 403, 403, 403, 403}
	teamAdmin = [11]int{401, 404, 403, 404, 404, 0, 0, 403, 403, 403, 403}
	repoSeen  = [11]int{404, 404, 404, 0, 0, 0, 0, 404, 404, 0, 404}
	repoPush  = [11]int{401, 404, 404, 0, 0, 0, 0, 403, 403, 403, 403}
	repoAdmin = [11]int{401, 404, 404, 403, 0, 0, 0, 403, 403, 403, 403}
	repoGone  = [11]int{401, 404, 404, 403, 403, 0, 0, 403, 403, 403, 403}
	teamRepo  = [11]int{401, 404, 404, 404, 404, 0, 0, 403, 403, 403, 403}
	siteOnly  = [11]int{401, 404, 404, 404, 404, 404, 0, 403, 403, 403, 403}
)

// directoryTrial is how a route is tried: a request that changes nothing, also
// where it is allowed, and the answer that shows that it was.
type directoryTrial struct {
	rule    [11]int
	body    string
	allowed int
}

// directoryTrials are all routes of the directory. The user that paths name is
// other; team is writers; numbers are of nothing.
var directoryTrials = map[string]directoryTrial{
	"GET /":                              {everybody, "", 200},
	"GET /meta":                          {everybody, "", 200},
	"GET /user":                          {asPeople, "", 200},
	"PATCH /user":                        {ownself, `{}`, 200},
	"GET /users":                         {asPeople, "", 200},
	"GET /organizations":                 {asPeople, "", 200},
	"GET /user/{account_id}":             {asPeople, "", 200},
	"GET /users/{username}":              {everybody, "", 200},
	"GET /users/{username}/orgs":         {everybody, "", 200},
	"GET /users/{username}/repos":        {everybody, "", 200},
	"GET /user/orgs":                     {ownself, "", 200},
	"GET /user/repos":                    {anySelf, "", 200},
	"GET /user/teams":                    {ownself, "", 200},
	"GET /user/memberships/orgs":         {ownself, "", 200},
	"GET /user/tokens":                   {ownself, "", 200},
	"POST /user/tokens":                  {ownself, `{"scopes":["nonsense"]}`, 422},
	"DELETE /user/tokens/{token_id}":     {ownself, "", 404},
	"POST /user/repos":                   {ownself, `{"name":""}`, 422},
	"GET /user/trust-rules":              {ownself, "", 200},
	"POST /user/trust-rules":             {ownself, `{"actions":[]}`, 422},
	"DELETE /user/trust-rules/{rule_id}": {ownself, "", 404},

	"GET /orgs/{org}":                     {everybody, "", 200},
	"GET /organizations/{org_id}":         {everybody, "", 200},
	"GET /orgs/{org}/repos":               {everybody, "", 200},
	"GET /orgs/{org}/public_members":      {everybody, "", 200},
	"PATCH /orgs/{org}":                   {orgAdmin, `{"default_repository_permission":"nonsense"}`, 422},
	"POST /orgs/{org}/repos":              {orgAdmin, `{"name":""}`, 422},
	"GET /orgs/{org}/members":             {askers, "", 200},
	"GET /orgs/{org}/members/{username}":  {insiders, "", 404},
	"GET /user/memberships/orgs/{org}":    {[11]int{401, 404, 0, 404, 404, 0, 404, 403, 403, 403, 403}, "", 200},
	"GET /orgs/{org}/invitations":         {orgAdmin, "", 200},
	"GET /orgs/{org}/audit-log":           {orgAdmin, "", 200},
	"GET /orgs/{org}/trust-rules":         {orgAdmin, "", 200},
	"POST /orgs/{org}/trust-rules":        {orgAdmin, `{"actions":[]}`, 422},
	"GET /repos/{owner}/{repo}":           {repoSeen, "", 200},
	"PATCH /repos/{owner}/{repo}":         {repoAdmin, `{}`, 200},
	"POST /repos/{owner}/{repo}/transfer": {repoGone, `{"new_owner":"nothing"}`, 422},

	"GET /orgs/{org}/memberships/{username}":                       {insiders, "", 404},
	"PUT /orgs/{org}/memberships/{username}":                       {orgAdmin, `{"role":"nonsense"}`, 422},
	"DELETE /orgs/{org}/memberships/{username}":                    {orgAdmin, "", 404},
	"DELETE /orgs/{org}/members/{username}":                        {orgAdmin, "", 404},
	"GET /orgs/{org}/outside_collaborators":                        {orgAdmin, "", 200},
	"DELETE /orgs/{org}/trust-rules/{rule_id}":                     {orgAdmin, "", 404},
	"GET /orgs/{org}/credential-authorizations":                    {orgAdmin, "", 200},
	"PUT /orgs/{org}/credential-authorizations/{credential_id}":    {siteOnly, "", 404},
	"DELETE /orgs/{org}/credential-authorizations/{credential_id}": {orgAdmin, "", 404},

	"GET /orgs/{org}/teams":              {insiders, "", 200},
	"POST /orgs/{org}/teams":             {teamAdmin, `{"name":""}`, 422},
	"GET TEAM":                           {insiders, "", 200},
	"PATCH TEAM":                         {teamAdmin, `{"privacy":"nonsense"}`, 422},
	"GET TEAM/teams":                     {insiders, "", 200},
	"GET TEAM/members":                   {insiders, "", 200},
	"GET TEAM/invitations":               {insiders, "", 200},
	"GET TEAM/repos":                     {insiders, "", 200},
	"GET TEAM/memberships/{username}":    {insiders, "", 404},
	"PUT TEAM/memberships/{username}":    {teamAdmin, `{"role":"nonsense"}`, 422},
	"DELETE TEAM/memberships/{username}": {teamAdmin, "", 404},
	"GET TEAM/repos/{owner}/{repo}":      {insiders, "", 404},
	"PUT TEAM/repos/{owner}/{repo}":      {teamRepo, `{"permission":"nonsense"}`, 422},
	"DELETE TEAM/repos/{owner}/{repo}":   {teamRepo, "", 404},

	"GET REPO/readme":                              {repoSeen, "", 404},
	"PUT REPO/readme":                              {repoAdmin, `{}`, 422},
	"GET REPO/collaborators":                       {repoPush, "", 200},
	"GET REPO/collaborators/{username}":            {repoPush, "", 404},
	"GET REPO/collaborators/{username}/permission": {repoPush, "", 200},
	"PUT REPO/collaborators/{username}":            {repoAdmin, `{"permission":"nonsense"}`, 422},
	"DELETE REPO/collaborators/{username}":         {repoAdmin, "", 404},
	"GET REPO/invitations":                         {repoAdmin, "", 200},
	"GET REPO/teams":                               {repoAdmin, "", 200},
	"GET REPO/workflow-tokens":                     {repoAdmin, "", 200},
	"POST REPO/workflow-tokens":                    {repoAdmin, `{"permissions":{"packages":"nonsense"}}`, 422},
	"DELETE REPO/workflow-tokens/{token_id}":       {repoAdmin, "", 404},
	"GET REPO/trust-rules":                         {repoAdmin, "", 200},
	"POST REPO/trust-rules":                        {repoAdmin, `{"actions":[]}`, 422},
	"DELETE REPO/trust-rules/{rule_id}":            {repoAdmin, "", 404},

	"POST /admin/users":                                {siteOnly, `{"login":"-"}`, 422},
	"PATCH /admin/users/{username}":                    {siteOnly, `{"login":"-"}`, 422},
	"PUT /admin/users/{username}/password":             {siteOnly, `{"password":"x"}`, 422},
	"POST /admin/users/{username}/authorizations":      {siteOnly, `{"scopes":[]}`, 422},
	"DELETE /admin/users/{username}/authorizations":    {siteOnly, "", 204},
	"DELETE /users/{username}/suspended":               {siteOnly, "", 204},
	"DELETE /users/{username}/site_admin":              {siteOnly, "", 204},
	"GET /admin/users/{username}/tokens":               {siteOnly, "", 200},
	"DELETE /admin/users/{username}/tokens/{token_id}": {siteOnly, "", 404},
	"DELETE /admin/organizations/{org}/suspended":      {siteOnly, "", 204},
	"POST /admin/organizations":                        {siteOnly, `{"login":"x","admin":"-"}`, 422},
	"PATCH /admin/organizations/{org}":                 {siteOnly, `{"login":"-"}`, 422},
	"GET /admin/audit-log":                             {siteOnly, "", 200},
	"GET /admin/settings":                              {siteOnly, "", 200},
	"PATCH /admin/settings":                            {siteOnly, `{"docker_registry":"nonsense"}`, 422},
	"GET /admin/docker-migrations":                     {siteOnly, "", 200},
	"POST /admin/docker-migrations":                    {siteOnly, `{}`, 422},
	"GET /admin/storage":                               {siteOnly, "", 200},
	"GET /admin/jobs":                                  {siteOnly, "", 200},
	"GET /admin/jobs/{job_id}":                         {siteOnly, "", 404},
	"POST /admin/jobs/{job_id}/retry":                  {siteOnly, "", 404},
	"POST /admin/jobs/{job_id}/cancel":                 {siteOnly, "", 404},
	"GET /orgs/{org}/storage":                          {[11]int{401, 403, 403, 403, 403, 0, 0, 0, 403, 403, 403}, "", 200},
	"GET /openapi.json":                                {everybody, "", 200},
}

// directoryEnds cannot be tried by those who are let in without an end of what
// the others need: only refusals are looked at.
var directoryEnds = map[string][11]int{
	"DELETE /orgs/{org}":                       orgAdmin,
	"DELETE TEAM":                              teamAdmin,
	"DELETE /repos/{owner}/{repo}":             repoGone,
	"DELETE /admin/users/{username}":           siteOnly,
	"PUT /admin/organizations/{org}/suspended": siteOnly,
	"PUT /users/{username}/suspended":          siteOnly,
	"PUT /users/{username}/site_admin":         siteOnly,
}

// directoryWorld has a caller of every kind.
type directoryWorld struct {
	*matrixWorld
	headers map[string]http.Header
	paths   *strings.Replacer
}

func newDirectoryWorld(t *testing.T) *directoryWorld {
	t.Helper()
	w := &directoryWorld{matrixWorld: newMatrixWorld(t), headers: map[string]http.Header{"nobody": nil}}
	ctx, a := t.Context(), w.app.Accounts
	none := access.RepositoryRole(0)
	w.check(a.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{BaseRole: &none}))
	for login, role := range map[string]access.RepositoryRole{"writer": access.RepositoryWrite, "keeper": access.RepositoryAdmin, "other": 0} {
		_, err := a.CreateUser(ctx, audit.Operator, account.NewUser{Login: login, Password: matrixPassword})
		w.check(err)
		if role != 0 {
			w.check(a.GrantRepository(ctx, audit.Operator, "acme/code", account.RepositoryGrant{User: login, Role: role}))
		}
	}
	for _, login := range []string{"stranger", "member", "writer", "keeper", "orgowner", "admin"} {
		w.headers[login] = bearerHeader(w.personal(login, token.NewToken{Scopes: access.EveryScope}))
	}
	w.headers["few scopes"] = bearerHeader(w.secrets["orgowner"])
	w.headers["limited"] = bearerHeader(w.secrets["limited"])
	w.headers["job"] = bearerHeader(w.secrets["job of acme/code"])
	w.headers["bearer"] = w.bearer(t, containersHost, "repository:acme/public:pull", basicHeader("orgowner", w.secrets["orgowner"]))
	org, err := a.Get(ctx, "acme")
	w.check(err)
	team, err := a.Team(ctx, "acme", "writers")
	w.check(err)
	w.paths = strings.NewReplacer(
		"{org}", "acme", "{org_id}", number(org.ID), "{team_slug}", "writers", "{team_id}", number(team.ID), "{username}", "other",
		"{owner}", "acme", "{repo}", "code", "{account_id}", number(org.ID), "{token_id}", "999999", "{rule_id}", "999999", "{job_id}", "999999", "{credential_id}", "999999",
	)
	return w
}

// short is a route as the tables name it.
func short(method, pattern string) string {
	for _, team := range []string{"/orgs/{org}/teams/{team_slug}", "/organizations/{org_id}/team/{team_id}"} {
		if rest, ok := strings.CutPrefix(pattern, team); ok {
			return method + " TEAM" + rest
		}
	}
	key := method + " " + pattern
	if _, listed := directoryTrials[key]; listed {
		return key
	}
	if rest, ok := strings.CutPrefix(pattern, "/repos/{owner}/{repo}/"); ok {
		return method + " REPO/" + rest
	}
	return key
}

// Every caller at every route of the directory gets what the rules say, and no
// route is left out. SEC-021: nobody changes what is another's.
func TestDirectoryMatrix(t *testing.T) {
	t.Parallel()
	w := newDirectoryWorld(t)
	tried := map[string]bool{}
	for _, r := range w.restRoutes() {
		key := short(r.Method, r.Pattern)
		trial, ok := directoryTrials[key]
		ends, isEnd := directoryEnds[key]
		if isEnd {
			trial.rule = ends
		} else if !ok {
			continue
		}
		tried[key] = true
		path := "/api/v3" + w.paths.Replace(r.Pattern)
		for i, caller := range directoryCallers {
			want := trial.rule[i]
			if want == 0 && isEnd {
				continue
			}
			if want == 0 {
				want = trial.allowed
			}
			res, text := w.ask(t, r.Method, "", path, w.headers[caller], strings.NewReader(trial.body))
			if res.StatusCode != want {
				t.Errorf("%s %s by %s: %d, want %d: %s", r.Method, path, caller, res.StatusCode, want, text)
			}
		}
	}
	for key := range directoryTrials {
		if !tried[key] {
			t.Errorf("there is no route %s", key)
		}
	}
	for key := range directoryEnds {
		if !tried[key] {
			t.Errorf("there is no route %s", key)
		}
	}
	for _, r := range w.restRoutes() {
		if key := short(r.Method, r.Pattern); !tried[key] && ofDirectory(r.Pattern) {
			t.Errorf("%s %s is in no table", r.Method, r.Pattern)
		}
	}
}

// ofDirectory reports whether the tables have to name the route.
func ofDirectory(pattern string) bool {
	for _, other := range []string{"package", "hooks", "rate_limit", "docker/conflicts", "retention", "immutable", "storage", "jobs", "gc", "openapi"} {
		if strings.Contains(pattern, other) {
			return false
		}
	}
	return true
}

// SEC-059: what a stranger asks of private things is answered byte by byte as if
// they were not there.
func TestSEC059PrivateAndAbsentLookAlike(t *testing.T) {
	t.Parallel()
	w := newDirectoryWorld(t)
	for _, pair := range [][2]string{
		{"/repos/acme/code", "/repos/acme/nothing"}, {"/repos/acme/code", "/repos/nobody/nothing"},
		{"/repos/acme/code/collaborators", "/repos/acme/nothing/collaborators"},
		{"/repos/acme/code/workflow-tokens", "/repos/acme/nothing/workflow-tokens"},
		{"/orgs/acme/teams/writers", "/orgs/acme/teams/nothing"}, {"/orgs/acme/teams/writers", "/orgs/nothing/teams/writers"},
		{"/orgs/acme/members/member", "/orgs/acme/members/other"}, {"/orgs/acme/members/member", "/orgs/acme/members/nothing"},
		{"/orgs/acme/memberships/member", "/orgs/acme/memberships/nothing"},
		{"/orgs/acme/packages/container/private/settings", "/orgs/acme/packages/container/nothing/settings"},
		{"/orgs/acme/packages/container/private/trust-rules", "/orgs/acme/packages/container/nothing/trust-rules"},
		{"/admin/settings", "/admin/nothing"},
	} {
		for _, caller := range []string{"nobody", "stranger", "few scopes", "job"} {
			if caller != "stranger" && caller != "nobody" && !strings.HasPrefix(pair[0], "/orgs/acme/members/") {
				continue // who may know of it by other ways
			}
			a, there := w.ask(t, "GET", "", "/api/v3"+pair[0], w.headers[caller], nil)
			b, absent := w.ask(t, "GET", "", "/api/v3"+pair[1], w.headers[caller], nil)
			if strings.HasPrefix(pair[0], "/admin") && caller == "nobody" {
				continue // the route is no secret
			}
			if a.StatusCode != b.StatusCode || there != absent {
				t.Errorf("%s: %s %d %s, but %s %d %s", caller, pair[0], a.StatusCode, there, pair[1], b.StatusCode, absent)
			}
		}
	}
	// Lists do not show what is private either.
	for _, path := range []string{"/users/member/orgs", "/orgs/acme/members", "/orgs/acme/repos", "/user/repos"} {
		res, text := w.ask(t, "GET", "", "/api/v3"+path, w.headers["stranger"], nil)
		shown := strings.Contains(text, "acme/code") || !strings.Contains(path, "repos") && strings.TrimSpace(text) != "[]"
		if res.StatusCode != 200 || shown {
			t.Errorf("%s: %d %s", path, res.StatusCode, text)
		}
	}
}

// SEC-020: fields that a caller may not set are not set, wherever they are sent.
func TestSEC020NoFieldGivesPrivileges(t *testing.T) {
	t.Parallel()
	w := newDirectoryWorld(t)
	const privileged = `"site_admin":true,"admin":"other","suspended":false,"id":1,"owner":{"login":"other"},"owner_id":1,"type":"Organization",` +
		`"kind":"organization","permissions":{"admin":true},"role":"nonsense-to-be-ignored","password":"another long password","password_hash":"x","created_at":"2001-01-01T00:00:00Z"`
	before := w.accountState("other") + w.accountState("stranger") + w.accountState("acme")
	for _, one := range []struct{ caller, method, path, body string }{
		{"stranger", "PATCH", "/user", `{` + privileged + `}`},
		{"orgowner", "PATCH", "/orgs/acme", `{` + privileged + `}`},
		{"keeper", "PATCH", "/repos/acme/code", `{` + privileged + `}`},
		{"orgowner", "PATCH", "/orgs/acme/teams/writers", `{` + privileged + `}`},
		{"stranger", "POST", "/user/repos", `{"name":"mine",` + privileged + `}`},
		{"stranger", "POST", "/user/tokens", `{"scopes":["read:packages"],"account_id":1,"user":"admin",` + privileged + `}`},
		{"admin", "POST", "/admin/users", `{"login":"fresh",` + privileged + `}`},
	} {
		if res, text := w.ask(t, one.method, "", "/api/v3"+one.path, w.headers[one.caller], strings.NewReader(one.body)); res.StatusCode >= 300 {
			t.Errorf("%s %s: %d %s", one.method, one.path, res.StatusCode, text)
		}
	}
	if after := w.accountState("other") + w.accountState("stranger") + w.accountState("acme"); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
	fresh, err := w.app.Accounts.Get(t.Context(), "fresh")
	if err != nil || fresh.SiteAdmin || fresh.Kind != account.User || fresh.CreatedAt.Year() < 2020 {
		t.Errorf("a user made with privileged fields: %+v, %v", fresh, err)
	}
	r, err := w.app.Accounts.Repository(t.Context(), "stranger/mine")
	if err != nil || r.Name.Owner() != "stranger" {
		t.Errorf("a repository made with another owner: %+v, %v", r, err)
	}
}

// accountState is what must not change.
func (w *directoryWorld) accountState(login string) string {
	w.t.Helper()
	a, err := w.app.Accounts.Get(w.t.Context(), login)
	w.check(err)
	admin := "user"
	if a.SiteAdmin {
		admin = "administrator"
	}
	return strings.Join([]string{a.Login, admin, string(a.Kind), a.PasswordHash, a.CreatedAt.String(), number(a.ID), a.Settings.BaseRole.String()}, " ")
}

// SEC-027: an id is looked for below the parent that the path names, and found
// below no other, also by one who owns both.
func TestSEC027IdsBelongToTheirParents(t *testing.T) {
	t.Parallel()
	w := newDirectoryWorld(t)
	ctx, a := t.Context(), w.app.Accounts
	_, err := a.CreateOrganization(ctx, audit.Operator, "twin", "orgowner")
	w.check(err)
	team, err := a.CreateTeam(ctx, audit.Operator, "twin", account.NewTeam{Slug: "double"})
	w.check(err)
	acme, err := a.Get(ctx, "acme")
	w.check(err)
	rule := func(kind, name string) int64 {
		target, err := w.app.Trust.Target(ctx, kind, name)
		w.check(err)
		id, err := w.app.Trust.Add(ctx, audit.Operator, operator(), token.TrustRule{
			TrustTarget: target, Issuer: token.GitHubIssuer, Audience: "https://packages.test.example",
			Claims: map[string]string{"repository": "acme/code"}, Actions: access.Pull,
		})
		w.check(err)
		return id
	}
	ofTwin, ofOther, ofPackage := rule("owner", "twin"), rule("repository", "acme/other"), rule("package", "acme/public")
	w.job("acme/other", access.ReadPackages, false)
	other, err := a.Repository(ctx, "acme/other")
	w.check(err)
	jobs, err := w.app.workflowTokens().List(ctx, other.ID)
	w.check(err)
	owner, err := a.Get(ctx, "stranger")
	w.check(err)
	theirs, err := w.app.personalTokens().List(ctx, owner.ID)
	w.check(err)
	for _, path := range []string{
		"DELETE /organizations/" + number(acme.ID) + "/team/" + number(team.ID),
		"GET /organizations/" + number(acme.ID) + "/team/" + number(team.ID),
		"DELETE /orgs/acme/trust-rules/" + number(ofTwin),
		"DELETE /repos/acme/code/trust-rules/" + number(ofOther),
		"DELETE /repos/acme/code/trust-rules/" + number(ofPackage),
		"DELETE /orgs/acme/packages/container/private/trust-rules/" + number(ofPackage),
		"DELETE /repos/acme/code/workflow-tokens/" + number(jobs[0].ID),
		"DELETE /user/tokens/" + number(theirs[0].ID),
		"DELETE /user/tokens/" + number(jobs[0].ID),
		"DELETE /orgs/acme/credential-authorizations/" + number(theirs[0].ID),
	} {
		method, path, _ := strings.Cut(path, " ")
		if res, text := w.ask(t, method, "", "/api/v3"+path, w.headers["orgowner"], nil); res.StatusCode != 404 {
			t.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
		}
	}
	for path, want := range map[string]int{
		"/repos/acme/other/trust-rules/" + number(ofOther):                           204,
		"/orgs/acme/packages/container/public/trust-rules/" + number(ofPackage):      204,
		"/orgs/twin/trust-rules/" + number(ofTwin):                                   204,
		"/repos/acme/other/workflow-tokens/" + number(jobs[0].ID):                    204,
		"/organizations/" + number(team.OrganizationID) + "/team/" + number(team.ID): 204,
	} {
		if res, text := w.ask(t, "DELETE", "", "/api/v3"+path, w.headers["orgowner"], nil); res.StatusCode != want {
			t.Errorf("DELETE %s: %d %s", path, res.StatusCode, text)
		}
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
