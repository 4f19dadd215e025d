package access

// Reason says which rule decided. Code is stable, Text is for people and tells
// nothing about packages; Explain has the longer text.
type Reason struct {
	Code, Text string
	// Blind is set when the rule looked at nothing but the credential and what
	// everybody may know, so that the reason may be told to anyone.
	Blind bool
}

// The reasons.
var (
	allowed              = Reason{Code: "allowed", Text: "allowed"}
	noCredential         = Reason{Code: "no_credential", Text: "authentication required", Blind: true}
	notIssuedFor         = Reason{Code: "not_issued_for", Text: "the bearer token was not issued for this action on this package", Blind: true}
	noScope              = Reason{Code: "no_scope", Text: "the token lacks the scope that this action needs", Blind: true}
	codespacePulls       = Reason{Code: "codespace_pulls", Text: "a codespace's token pulls and does nothing else", Blind: true}
	outsideLimits        = Reason{Code: "outside_limits", Text: "the token was not made for this action on this package"}
	registryDisabled     = Reason{Code: "registry_disabled", Text: "this registry is switched off on this server", Blind: true}
	registryReadOnly     = Reason{Code: "registry_read_only", Text: "this registry is read-only: pulls work, pushes and deletions do not", Blind: true}
	singleSignOn         = Reason{Code: "single_sign_on", Text: "the organization requires single sign-on, and this credential was not authorized for it"}
	noRole               = Reason{Code: "no_role", Text: "the account's role on this package does not allow this"}
	noPackage            = Reason{Code: "no_package", Text: "there is no such package, or no right to it"}
	noPush               = Reason{Code: "no_push", Text: "the account may not push to this package, nor create it in this namespace"}
	notLinked            = Reason{Code: "not_linked", Text: "the package is not linked to the workflow's repository and grants it nothing"}
	noRepository         = Reason{Code: "no_repository", Text: "there is no such repository, and a Docker registry package lies in one"}
	noRepositoryRole     = Reason{Code: "no_repository_role", Text: "the account's role in the repository does not allow to push packages to it"}
	visibilityNotAllowed = Reason{Code: "visibility_not_allowed", Text: "packages of this visibility may not be created in this namespace"}
	nameRetired          = Reason{Code: "name_retired", Text: "this name was given up by another package and is not used again"}
	ownerSuspended       = Reason{Code: "owner_suspended", Text: "the owner of this namespace is suspended"}
)
