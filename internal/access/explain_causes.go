package access

import (
	"fmt"
	"strings"
)

func (x explanation) noScope() string {
	if foreignRule(x.p) {
		return x.outsideLimits()
	}
	if w := x.p.Workflow; w != nil && w.TrustID != 0 {
		return fmt.Sprintf("the rule of trust that let this job of %s in does not allow it to %s %s: packhouse admin trust list %s",
			w.Repository, x.verb(), x.name, w.Repository.Owner())
	}
	if w := x.p.Workflow; w != nil {
		permission := "packages=write"
		if x.e.Action == Read {
			permission = "packages=read"
		}
		return fmt.Sprintf("to %s %s the job needs the permission %s: packhouse admin workflow-token create %s --permissions %s",
			x.verb(), x.name, permission, w.Repository, permission)
	}
	return fmt.Sprintf("to %s %s the token needs the scope %s: packhouse admin token create %s --scopes %s",
		x.verb(), x.name, x.missingScope(), x.p.Login, x.e.Action.scope())
}

func (x explanation) missingScope() string {
	switch x.e.Action {
	case Read:
		return "read:packages"
	case Delete:
		return "delete:packages, and read:packages with it"
	}
	return "write:packages"
}

func (x explanation) outsideLimits() string {
	switch {
	case x.p.Workflow != nil:
		return fmt.Sprintf("the rule of trust that let this job in does not allow it to %s %s: packhouse admin trust list %s", x.verb(), x.name, x.owner)
	case x.e.Action == Administer:
		return fmt.Sprintf("a fine-grained token does not change the settings of %s: use a token with the scope write:packages", x.name)
	}
	reaches := "--namespace " + x.owner
	if x.visible {
		reaches = "--package " + x.name
	}
	return fmt.Sprintf("this fine-grained token does not hold to %s %s: packhouse admin token create-fine-grained %s %s:%s",
		x.verb(), x.name, x.p.Login, reaches, strings.TrimSuffix(x.verb(), " from"))
}

func (x explanation) singleSignOn() string {
	if x.p.TokenID == 0 {
		return fmt.Sprintf("%s requires single sign-on, and a password is not enough to %s %s: use a token that was authorized with packhouse admin token authorize TOKEN-ID %s",
			x.f.Owner, x.verb(), x.name, x.f.Owner)
	}
	return fmt.Sprintf("%s requires single sign-on, and this token was not authorized to %s %s there: packhouse admin token authorize %d %s",
		x.f.Owner, x.verb(), x.name, x.p.TokenID, x.f.Owner)
}

// has says what role there is.
func has(role Role) string {
	if role == "" {
		return "no role"
	}
	return "only the role " + string(role)
}

func (x explanation) noRole() string {
	text := fmt.Sprintf("to %s %s takes the role %s, and %s has %s: ", x.verb(), x.name, x.role(), x.p.Login, has(RoleOf(x.p, x.f)))
	switch {
	case membersOnly(x.f):
		return text + fmt.Sprintf("only members of %s have one there: packhouse admin org member add %s %s", x.f.Owner, x.f.Owner, x.p.Login)
	case !x.f.inherits():
		return text + fmt.Sprintf("packhouse admin package grant %s --user %s --role %s", x.name, x.p.Login, x.role())
	case x.f.RepositoryRole > 0 || x.f.RepositoryVisibility == Public:
		return text + fmt.Sprintf("packhouse admin repo grant %s --user %s --role %s", x.f.Repository, x.p.Login, x.role())
	}
	return text + "it inherits its roles from a repository, whose administrators can give it"
}

func (x explanation) notLinked() string {
	repository := x.p.Workflow.Repository
	text := fmt.Sprintf("%s is not linked to %s and gives its jobs %s: packhouse admin package grant %s --repository %s --role %s",
		x.name, repository, has(x.f.ActionsRole), x.name, repository, x.role())
	if x.p.Workflow.OwnerID == x.f.OwnerID && x.f.RepositoryID == 0 {
		text += fmt.Sprintf(" (or: packhouse admin package link %s %s)", x.name, repository)
	}
	return text
}

func (x explanation) noPush() string {
	switch {
	case !x.f.OwnerExists:
		return fmt.Sprintf("there is no account %s for %s to belong to", x.owner, x.name)
	case x.p.Workflow != nil:
		return fmt.Sprintf("%s creates packages for the owner of its repository alone, and %s is not one", x.who(), x.name)
	case !x.f.OwnerIsOrganization:
		return fmt.Sprintf("only %s creates packages such as %s", x.owner, x.name)
	case x.f.Type == Docker:
		return x.noRepositoryRole()
	}
	return fmt.Sprintf("only members of %s create packages such as %s: packhouse admin org member add %s %s", x.owner, x.name, x.owner, x.p.Login)
}

// repository is the one that a package of the Docker registry names; "" for none.
func (x explanation) repository() string {
	parts := strings.SplitN(x.name, "/", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[0] + "/" + parts[1]
}

func (x explanation) noRepository() string {
	if x.repository() == "" {
		return fmt.Sprintf("packages of the Docker registry are named OWNER/REPOSITORY/IMAGE, and %s is not", x.name)
	}
	return fmt.Sprintf("there is no repository %s for %s to lie in: packhouse admin repo create %s", x.repository(), x.name, x.repository())
}

func (x explanation) noRepositoryRole() string {
	if x.p.Workflow != nil {
		return fmt.Sprintf("%s lies in the repository %s, and only that repository's jobs create packages in it", x.name, x.repository())
	}
	return fmt.Sprintf("to push %s takes the role write in the repository %s: packhouse admin repo grant %s --user %s --role write",
		x.name, x.repository(), x.repository(), x.p.Login)
}

func (x explanation) visibilityNotAllowed() string {
	v := x.e.Visibility
	if v == "" {
		v = x.f.NewVisibility("")
	}
	switch {
	case x.f.Type == Docker:
		return fmt.Sprintf("%s belongs to the Docker registry and has the visibility of its repository", x.name)
	case !x.f.OwnerIsOrganization:
		return fmt.Sprintf("%s cannot be %s: only organizations have internal packages", x.name, v)
	}
	return fmt.Sprintf("%s would be %s, and members of %s may not make such packages: packhouse admin org set %s --members-create %s",
		x.name, v, x.f.Owner, x.f.Owner, x.f.MembersCreate|setOf(v))
}
