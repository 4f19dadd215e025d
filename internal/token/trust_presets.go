package token

import (
	"maps"
	"net/url"
	"strings"

	"packhouse/internal/errs"
)

// The issuers that many share.
const (
	GitHubIssuer = "https://token.actions.githubusercontent.com"
	GitLabIssuer = "https://gitlab.com"
)

// TrustPreset is the jobs of a well-known kind, from which the issuer and the
// claims of a rule follow. At most one of GitHub, GitLab, Gitea and Kubernetes
// is set.
type TrustPreset struct {
	GitHub     string // OWNER/REPO
	GitLab     string // GROUP/PROJECT, where the group may lie in others
	Gitea      string // https://HOST/OWNER/REPO, also of Forgejo
	Kubernetes string // NAMESPACE/SERVICEACCOUNT
	// Ref is a branch, or refs/…; Environment is a deployment environment.
	Ref, Environment string
	// Issuer is whose tokens are meant: of a server of one's own, or of a cluster.
	Issuer string
	// Claims are further ones.
	Claims map[string]string
}

// Rule returns the issuer and the claims.
func (p TrustPreset) Rule() (issuer string, claims map[string]string, err error) {
	claims = map[string]string{}
	switch {
	case p.kinds() > 1:
		return "", nil, errs.New(errs.Invalid, "--github, --gitlab, --gitea and --kubernetes exclude each other")
	case p.GitHub != "":
		issuer, claims["repository"] = GitHubIssuer, p.GitHub
		err = wantPath("--github", p.GitHub, "OWNER/REPO", 2, 2)
	case p.GitLab != "":
		issuer, claims["project_path"] = GitLabIssuer, p.GitLab
		err = wantPath("--gitlab", p.GitLab, "GROUP/PROJECT", 2, 20)
	case p.Gitea != "":
		issuer, claims["repository"], err = giteaRepository(p.Gitea)
	case p.Kubernetes != "":
		claims["sub"] = "system:serviceaccount:" + strings.Replace(p.Kubernetes, "/", ":", 1)
		err = wantPath("--kubernetes", p.Kubernetes, "NAMESPACE/SERVICEACCOUNT", 2, 2)
	}
	if err != nil {
		return "", nil, err
	}
	if p.Issuer != "" {
		issuer = p.Issuer
	}
	if issuer == "" {
		return "", nil, errs.New(errs.Invalid, "name whose tokens are trusted: --github, --gitlab, --gitea, or --issuer URL (with --kubernetes, the cluster's)")
	}
	if err := p.narrow(claims); err != nil {
		return "", nil, err
	}
	for name := range p.Claims {
		if _, ok := claims[name]; ok {
			return "", nil, errs.New(errs.Invalid, "the claim %q is set twice", name)
		}
	}
	maps.Copy(claims, p.Claims)
	return issuer, claims, nil
}

func (p TrustPreset) kinds() int {
	n := 0
	for _, s := range []string{p.GitHub, p.GitLab, p.Gitea, p.Kubernetes} {
		if s != "" {
			n++
		}
	}
	return n
}

// narrow adds the ref and the environment. GitLab has a ref's short name in the
// claim ref, GitHub and those like it the full one.
func (p TrustPreset) narrow(claims map[string]string) error {
	if p.Ref == "" && p.Environment == "" {
		return nil
	}
	if p.GitHub == "" && p.GitLab == "" && p.Gitea == "" {
		return errs.New(errs.Invalid, "--ref and --environment go with --github, --gitlab or --gitea; use --claim NAME=VALUE")
	}
	if p.Environment != "" {
		claims["environment"] = p.Environment
	}
	branch, isBranch := strings.CutPrefix(p.Ref, "refs/heads/")
	tag, isTag := strings.CutPrefix(p.Ref, "refs/tags/")
	switch {
	case p.Ref == "":
	case p.GitLab != "" && isTag:
		claims["ref_type"], claims["ref"] = "tag", tag
	case p.GitLab != "":
		claims["ref_type"], claims["ref"] = "branch", branch
	case strings.HasPrefix(p.Ref, "refs/"):
		claims["ref"] = p.Ref
	case !isBranch:
		claims["ref"] = "refs/heads/" + p.Ref
	}
	return nil
}

func wantPath(flag, text, form string, least, most int) error {
	parts := strings.Split(text, "/")
	for _, part := range parts {
		if part == "" || len(parts) < least || len(parts) > most || strings.ContainsAny(text, ": ") {
			return errs.New(errs.Invalid, "%s must be %s", flag, form)
		}
	}
	return nil
}

// giteaRepository takes apart https://HOST/OWNER/REPO.
func giteaRepository(text string) (issuer, repository string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "", "", errs.New(errs.Invalid, "--gitea must be https://HOST/OWNER/REPO")
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 {
		return "", "", errs.New(errs.Invalid, "--gitea must be https://HOST/OWNER/REPO")
	}
	base := parts[:len(parts)-2] // a server may lie under a path
	repository = strings.Join(parts[len(parts)-2:], "/")
	u.Path = "/" + strings.Join(append(base, "api", "actions"), "/")
	return u.String(), repository, wantPath("--gitea", repository, "https://HOST/OWNER/REPO", 2, 2)
}
