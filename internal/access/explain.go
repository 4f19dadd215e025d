package access

import (
	"fmt"
	"strings"

	"packhouse/internal/oci"
)

// MaxExplanation is the longest text of Explain, in bytes.
const MaxExplanation = 400

// Explain says in a sentence or two why d was decided of what p asked to do at
// the address asked: which package, what is missing, and the command that mends
// it. The text is printable ASCII without quotes. Unless d.Told it depends on
// the request and the credential alone.
func Explain(p Principal, asked oci.Name, f Facts, e Effects, d Decision) string {
	x := explanation{p: p, name: asked.String(), owner: asked.Owner(), f: seenBy(p, f), e: e, visible: d.Visible}
	text := x.blind()
	if d.Told {
		text = x.reason(d.Reason)
	}
	return plain(text)
}

// plain makes text fit to be quoted in a header.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '?'
		}
		return r
	}, text)
	return text[:min(len(text), MaxExplanation)]
}

// explanation is what a text is made from.
type explanation struct {
	p           Principal
	name, owner string // as asked
	f           Facts
	e           Effects
	visible     bool
}

// reason returns the text of the rule that decided.
func (x explanation) reason(r Reason) string {
	switch r {
	case allowed:
		return fmt.Sprintf("%s may %s %s", x.who(), x.verb(), x.name)
	case noCredential:
		return "authentication required"
	case notIssuedFor:
		return fmt.Sprintf("the bearer token was not issued to %s %s: ask for one with that scope", x.verb(), x.name)
	case codespacePulls:
		return fmt.Sprintf("the token of a codespace pulls and does nothing else: to %s %s, use a personal access token", x.verb(), x.name)
	case noScope:
		return x.noScope()
	case outsideLimits:
		return x.outsideLimits()
	case registryDisabled:
		return fmt.Sprintf("the %s is disabled on this server: packhouse admin site registry %s enabled", x.registry(), x.f.Type)
	case registryReadOnly:
		return fmt.Sprintf("the %s is read-only, so that pulls work and to %s %s does not: packhouse admin site registry %s enabled",
			x.registry(), x.verb(), x.name, x.f.Type)
	case singleSignOn:
		return x.singleSignOn()
	case noRole:
		return x.noRole()
	case notLinked:
		return x.notLinked()
	case noPackage:
		return fmt.Sprintf("there is no package %s", x.name)
	case ownerSuspended:
		return fmt.Sprintf("%s is suspended, and %s with it: packhouse admin user unsuspend %s", x.f.Owner, x.name, x.f.Owner)
	}
	return x.creation(r)
}

// creation returns the text of a rule about packages to be made.
func (x explanation) creation(r Reason) string {
	switch r {
	case noPush:
		return x.noPush()
	case nameRetired:
		return fmt.Sprintf("the name %s belonged to another package and is not used again: choose another name", x.name)
	case noRepository:
		return x.noRepository()
	case noRepositoryRole:
		return x.noRepositoryRole()
	case visibilityNotAllowed:
		return x.visibilityNotAllowed()
	}
	return r.Code
}

// blind is the text for those who may not know whether there is a package: it
// must not look at x.f.
func (x explanation) blind() string {
	text := fmt.Sprintf("there is no package %s, or no right to %s it", x.name, x.verb())
	if x.e.Action == Write {
		text = fmt.Sprintf("no right to push %s: that takes the role write on it, or the right to create packages in %s", x.name, x.owner)
	}
	switch {
	case x.p.Limited:
		text += "; a fine-grained token reaches only what it names"
	case x.p.RepositoryID() != 0:
		text += fmt.Sprintf("; jobs of %s reach what is linked to it or grants it a role: packhouse admin package grant %s --repository %s --role %s",
			x.p.Workflow.Repository, x.name, x.p.Workflow.Repository, x.role())
	}
	return text
}

func (x explanation) verb() string {
	switch x.e.Action {
	case Read:
		return "pull"
	case Write:
		return "push"
	case Delete:
		return "delete from"
	}
	return "administer"
}

// role is the least role that the action takes.
func (x explanation) role() Role {
	switch x.e.Action {
	case Read:
		return RoleRead
	case Write:
		return RoleWrite
	}
	return RoleAdmin
}

func (x explanation) who() string {
	switch {
	case x.p.Operator:
		return "the operator"
	case x.p.RepositoryID() != 0:
		return "a job of " + x.p.Workflow.Repository.String()
	case x.p.Workflow != nil:
		return "a job let in by a rule of trust"
	case x.p.Anonymous():
		return "anyone"
	}
	return x.p.Login
}

func (x explanation) registry() string {
	if x.f.Type == Docker {
		return "Docker registry"
	}
	return "Container registry"
}
