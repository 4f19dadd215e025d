package trust

import (
	"net/url"
	"slices"
	"strings"

	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// The kinds of jobs that have a form of their own.
const (
	github     = "github"
	gitlab     = "gitlab"
	gitea      = "gitea"
	buildkite  = "buildkite"
	kubernetes = "kubernetes"
	other      = "other"

	buildkiteIssuer = "https://agent.buildkite.com"
)

// providers returns them in the order in which people choose among them.
func providers() []string { return []string{github, gitlab, gitea, buildkite, kubernetes, other} }

// brand is what a provider calls itself; "" for another one.
func brand(provider string) string {
	return map[string]string{
		github: "GitHub Actions", gitlab: "GitLab CI", gitea: "Gitea, Forgejo", buildkite: "Buildkite", kubernetes: "Kubernetes",
	}[provider]
}

// providerOf tells which form a rule may have come from.
func providerOf(r token.TrustRule) string {
	_, gitlabProject := r.Claims["project_path"]
	switch {
	case r.Issuer == token.GitHubIssuer, strings.HasSuffix(r.Issuer, "/_services/token"):
		return github
	case r.Issuer == token.GitLabIssuer, gitlabProject:
		return gitlab
	case strings.HasSuffix(r.Issuer, "/api/actions"):
		return gitea
	case r.Issuer == buildkiteIssuer:
		return buildkite
	case strings.HasPrefix(r.Claims["sub"], "system:serviceaccount:"):
		return kubernetes
	}
	return other
}

// projectForm is how the project of a provider is written; "" where there is none.
func projectForm(provider string) string {
	return map[string]string{
		github: "OWNER/REPO", gitlab: "GROUP/PROJECT", gitea: "https://HOST/OWNER/REPO", buildkite: "ORGANIZATION/PIPELINE",
		kubernetes: "NAMESPACE/SERVICEACCOUNT",
	}[provider]
}

// isProject reports whether a provider's projects are written like that.
func isProject(provider, project string) bool {
	path, most := project, 2
	switch provider {
	case gitlab:
		most = 20
	case gitea:
		u, err := url.Parse(project)
		if err != nil || u.Host == "" {
			return false
		}
		path, most = strings.Trim(u.Path, "/"), 20
	}
	parts := strings.Split(path, "/")
	return len(parts) >= 2 && len(parts) <= most && !slices.Contains(parts, "") && !strings.ContainsAny(path, ": ")
}

// pinned returns the issuer and the claims that a form means.
func pinned(sent url.Values) (issuer string, claims map[string]string, err error) {
	field := func(name string) string { return strings.TrimSpace(sent.Get(name)) }
	kind, project := sent.Get("provider"), field("project")
	if form := projectForm(kind); form != "" && !isProject(kind, project) {
		return "", nil, errs.New(errs.Invalid, "the jobs are named like this: %s", form)
	}
	preset := token.TrustPreset{Ref: field("ref"), Environment: field("environment"), Issuer: field("issuer")}
	if preset.Claims, err = parseClaims(sent.Get("claims")); err != nil {
		return "", nil, err
	}
	switch kind {
	case github:
		preset.GitHub = project
	case gitlab:
		preset.GitLab = project
	case gitea:
		preset.Gitea = project
	case kubernetes:
		preset.Kubernetes = project
	case buildkite:
		if err := narrowBuildkite(&preset, project); err != nil {
			return "", nil, err
		}
	}
	if (kind == kubernetes || kind == other) && preset.Issuer == "" {
		return "", nil, errs.New(errs.Invalid, "name the issuer: the https:// address that the identity tokens have in iss")
	}
	return preset.Rule()
}

// narrowBuildkite turns a pipeline and a branch into claims.
func narrowBuildkite(p *token.TrustPreset, project string) error {
	organization, pipeline, _ := strings.Cut(project, "/")
	claims := map[string]string{"organization_slug": organization, "pipeline_slug": pipeline}
	if p.Ref != "" {
		claims["build_branch"] = p.Ref
	}
	for name, pattern := range claims {
		if _, twice := p.Claims[name]; twice {
			return errs.New(errs.Invalid, "the claim %q is set twice", name)
		}
		p.Claims[name] = pattern
	}
	p.Issuer, p.Ref, p.Environment = buildkiteIssuer, "", ""
	return nil
}

// parseClaims reads one NAME=PATTERN a line.
func parseClaims(text string) (map[string]string, error) {
	claims := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, pattern, ok := strings.Cut(line, "=")
		name, pattern = strings.TrimSpace(name), strings.TrimSpace(pattern)
		if _, twice := claims[name]; twice {
			return nil, errs.New(errs.Invalid, "the claim %q is set twice", name)
		}
		if !ok {
			return nil, errs.New(errs.Invalid, "write each claim as NAME=PATTERN on a line of its own: %q is none", line)
		}
		claims[name] = pattern
	}
	return claims, nil
}
