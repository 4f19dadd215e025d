package token_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/token"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"main", "main", true}, {"main", "Main", false}, {"main", "mainx", false}, {"main", "", false},
		{"refs/tags/v*", "refs/tags/v1.0", true}, {"refs/tags/v*", "refs/tags/v", true}, {"refs/tags/v*", "refs/heads/v1", false},
		{"*", "", true}, {"*", "anything/at:all", true}, {"a*b", "ab", true}, {"a*b", "a", false}, {"ab*b", "ab", false},
		{"a*b*c", "abc", true}, {"a*b*c", "acb", false}, {"a**c", "abc", true}, {"*b*", "abc", true}, {"a*a", "a", false},
		{"repo:acme/*:ref:*", "repo:acme/app:ref:refs/heads/main", true}, {"a.c", "abc", false}, {"[a]", "a", false}, {"a?", "ab", false},
	} {
		if got := token.GlobMatches(c.pattern, c.text); got != c.want {
			t.Errorf("%q on %q is %t", c.pattern, c.text, got)
		}
	}
}

// The glob says what the same regular expression says.
func TestGlobIsARegularExpression(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab]{0,10}`).Draw(t, "text")
		same := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(text)
		if token.GlobMatches(pattern, text) != same {
			t.Fatalf("%q on %q is not %t", pattern, text, same)
		}
	})
}

func TestClaims(t *testing.T) {
	t.Parallel()
	const claims = `{"sub": "job", "id": 12345678901234567890, "protected": true, "nothing": null, "a.b": "dotted", "a": {"b": "nested"},
		"groups": ["dev", "ops", ["deep"]], "kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "builder"}},
		"https://example.com/roles": "admin", "/odd": "odd", "m~n": "tilde", "empty": ""}`
	for _, c := range []struct {
		name, pattern string
		want          bool
	}{
		{"sub", "job", true}, {"sub", "j*", true}, {"/sub", "job", true}, {"id", "12345678901234567890", true}, {"protected", "true", true},
		{"protected", "false", false}, {"nothing", "*", false}, {"absent", "*", false}, {"a.b", "dotted", true}, {"/a/b", "nested", true},
		{"groups", "ops", true}, {"groups", "other", false}, {"groups", "deep", false}, {"/groups/0", "dev", true}, {"/groups/00", "dev", false},
		{"/groups/-1", "*", false}, {"/groups/9", "*", false}, {"/kubernetes.io/namespace", "prod", true},
		{"/kubernetes.io/serviceaccount/name", "builder", true}, {"kubernetes.io", "*", false}, {"/kubernetes.io/namespace/x", "*", false},
		{"https://example.com/roles", "admin", true}, {"/https:~1~1example.com~1roles", "admin", true}, {"/~1odd", "odd", true},
		{"/m~0n", "tilde", true}, {"empty", "*", true},
	} {
		if got, err := token.ClaimMatches(claims, c.name, c.pattern); err != nil || got != c.want {
			t.Errorf("%s=%s is %t, %v", c.name, c.pattern, got, err)
		}
	}
}

// Everybody can get a token of a shared issuer; a rule must say whose it means.
func TestARuleThatLetsEverybodyInIsRefused(t *testing.T) {
	t.Parallel()
	const own = "https://issuer.example.com"
	type claims = map[string]string
	for _, c := range []struct {
		issuer string
		claims claims
		says   string // "" when the rule is good
	}{
		{own, claims{"sub": "job"}, ""}, {own, claims{"sub": "ci-*"}, ""}, {own, claims{"/a/b": "x", "c": "*"}, ""},
		{own, nil, "every job"}, {own, claims{"sub": "*"}, "every job"}, {own, claims{"sub": "***", "ref": "*"}, "every job"},
		{own, claims{"iss": "x", "sub": "job"}, "no claims of it"}, {own, claims{"aud": "x"}, "no claims of it"},
		{own, claims{"sub": ""}, "must not be empty"}, {own, claims{"": "x"}, "no name of a claim"}, {own, claims{"/a~2": "x"}, "no name of a claim"},
		{own, claims{"/": "x"}, "no name of a claim"}, {own, claims{"sub": strings.Repeat("x", 600)}, "no name of a claim"},

		{token.GitHubIssuer, claims{"repository": "acme/app"}, ""}, {token.GitHubIssuer, claims{"repository": "acme/*"}, ""},
		{token.GitHubIssuer, claims{"repository_owner": "acme", "ref": "*"}, ""}, {token.GitHubIssuer, claims{"repository_id": "1"}, ""},
		{token.GitHubIssuer, claims{"sub": "repo:acme/app:*"}, ""}, {token.GitHubIssuer + "/acme", claims{"ref": "x"}, "other people's jobs"},
		{token.GitHubIssuer, claims{"ref": "refs/heads/main"}, "other people's jobs"}, {token.GitHubIssuer, claims{"repository": "*/app"}, "repository=OWNER/REPO"},
		{token.GitHubIssuer, claims{"repository": "acme*/app"}, "other people's jobs"}, {token.GitHubIssuer, claims{"repository": "/app"}, "other people's jobs"},
		{token.GitHubIssuer, claims{"repository_owner": "acme*"}, "other people's jobs"}, {token.GitHubIssuer, claims{"sub": "repo:*"}, "other people's jobs"},
		{token.GitHubIssuer, claims{"sub": "acme/app"}, "other people's jobs"}, {token.GitHubIssuer, claims{"job_workflow_ref": "acme/app/x@main"}, "other people's jobs"},
		{token.GitHubIssuer, nil, "every job"},
		{"https://git.example.com/_services/token", claims{"actor": "mona"}, "other people's jobs"},
		{"https://codeberg.org/api/actions", claims{"ref": "refs/heads/main"}, "other people's jobs"},
		{"https://codeberg.org/api/actions", claims{"repository": "acme/app"}, ""},

		{token.GitLabIssuer, claims{"project_path": "acme/app"}, ""}, {token.GitLabIssuer, claims{"namespace_path": "acme"}, ""},
		{token.GitLabIssuer, claims{"namespace_path": "acme/*"}, ""}, {token.GitLabIssuer, claims{"sub": "project_path:acme/app:ref_type:branch:ref:main"}, ""},
		{token.GitLabIssuer, claims{"project_path": "*"}, "every job"}, {token.GitLabIssuer, claims{"ref": "main", "ref_protected": "true"}, "GitLab.com"},
		{token.GitLabIssuer, claims{"project_path": "ac*"}, "project_path=GROUP/PROJECT"},
	} {
		err := token.CheckPins(c.issuer, c.claims)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %v: %v, want %q", c.issuer, c.claims, err, c.says)
		}
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	type claims = map[string]string
	for _, c := range []struct {
		preset token.TrustPreset
		issuer string
		claims claims
	}{
		{token.TrustPreset{GitHub: "acme/app"}, token.GitHubIssuer, claims{"repository": "acme/app"}},
		{token.TrustPreset{GitHub: "acme/app", Ref: "main", Environment: "prod"}, token.GitHubIssuer,
			claims{"repository": "acme/app", "ref": "refs/heads/main", "environment": "prod"}},
		{token.TrustPreset{GitHub: "acme/app", Ref: "refs/tags/v*"}, token.GitHubIssuer, claims{"repository": "acme/app", "ref": "refs/tags/v*"}},
		{token.TrustPreset{GitHub: "acme/app", Ref: "refs/heads/main"}, token.GitHubIssuer, claims{"repository": "acme/app", "ref": "refs/heads/main"}},
		{token.TrustPreset{GitHub: "acme/app", Issuer: "https://git.example.com/_services/token"}, "https://git.example.com/_services/token", claims{"repository": "acme/app"}},
		{token.TrustPreset{GitLab: "acme/tools/app", Ref: "main"}, token.GitLabIssuer, claims{"project_path": "acme/tools/app", "ref": "main", "ref_type": "branch"}},
		{token.TrustPreset{GitLab: "acme/app", Ref: "refs/tags/v*", Issuer: "https://gitlab.example.com"}, "https://gitlab.example.com",
			claims{"project_path": "acme/app", "ref": "v*", "ref_type": "tag"}},
		{token.TrustPreset{Gitea: "https://codeberg.org/acme/app", Ref: "main"}, "https://codeberg.org/api/actions",
			claims{"repository": "acme/app", "ref": "refs/heads/main"}},
		{token.TrustPreset{Gitea: "https://example.com/git/acme/app/"}, "https://example.com/git/api/actions", claims{"repository": "acme/app"}},
		{token.TrustPreset{Kubernetes: "prod/builder", Issuer: "https://cluster.example.com"}, "https://cluster.example.com", claims{"sub": "system:serviceaccount:prod:builder"}},
		{token.TrustPreset{Issuer: "https://issuer.example.com", Claims: claims{"sub": "x"}}, "https://issuer.example.com", claims{"sub": "x"}},
		{token.TrustPreset{GitHub: "acme/app", Claims: claims{"event_name": "push"}}, token.GitHubIssuer, claims{"repository": "acme/app", "event_name": "push"}},
	} {
		issuer, got, err := c.preset.Rule()
		if err != nil || issuer != c.issuer || !maps.Equal(got, c.claims) {
			t.Errorf("%+v is %s, %v, %v", c.preset, issuer, got, err)
		}
		if err == nil && token.CheckPins(issuer, got) != nil {
			t.Errorf("%+v is refused: %v", c.preset, token.CheckPins(issuer, got))
		}
	}
	for _, wrong := range []token.TrustPreset{
		{}, {GitHub: "acme"}, {GitHub: "acme/app/x"}, {GitHub: "/app"}, {GitHub: "acme/app", GitLab: "acme/app"}, {GitLab: "app"},
		{Gitea: "codeberg.org/acme/app"}, {Gitea: "https://codeberg.org/acme"}, {Kubernetes: "prod/builder"}, {Kubernetes: "builder", Issuer: "https://c.example.com"},
		{Kubernetes: "a:b/c", Issuer: "https://c.example.com"}, {Issuer: "https://issuer.example.com", Ref: "main"},
		{GitHub: "acme/app", Claims: claims{"repository": "other/app"}},
	} {
		if issuer, got, err := wrong.Rule(); err == nil {
			t.Errorf("%+v is %s, %v", wrong, issuer, got)
		}
	}
}
