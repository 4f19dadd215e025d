package access

// Reason says which rule decided. Code is stable; Explain has the text.
type Reason struct {
	Code string
	// Blind is set when the rule looked at nothing but the credential and what
	// everybody may know, so that the reason may be told to anyone.
	Blind bool
}

// The reasons.
var (
	allowed              = Reason{Code: "allowed"}
	noCredential         = Reason{Code: "no_credential", Blind: true}
	notIssuedFor         = Reason{Code: "not_issued_for", Blind: true}
	noScope              = Reason{Code: "no_scope", Blind: true}
	codespacePulls       = Reason{Code: "codespace_pulls", Blind: true}
	outsideLimits        = Reason{Code: "outside_limits"}
	registryDisabled     = Reason{Code: "registry_disabled", Blind: true}
	registryReadOnly     = Reason{Code: "registry_read_only", Blind: true}
	singleSignOn         = Reason{Code: "single_sign_on"}
	noRole               = Reason{Code: "no_role"}
	noPackage            = Reason{Code: "no_package"}
	noPush               = Reason{Code: "no_push"}
	notLinked            = Reason{Code: "not_linked"}
	noRepository         = Reason{Code: "no_repository"}
	noRepositoryRole     = Reason{Code: "no_repository_role"}
	visibilityNotAllowed = Reason{Code: "visibility_not_allowed"}
	nameRetired          = Reason{Code: "name_retired"}
	ownerSuspended       = Reason{Code: "owner_suspended"}
)
