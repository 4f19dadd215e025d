package account

import (
	"context"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Identity is a person as an outside provider knows them. The subject alone
// tells who it is; the rest may change from one sign-in to the next.
type Identity struct {
	Issuer  string
	Subject string
	// Login is what the provider calls the person.
	Login string
	// Groups are those that the provider puts the person in. They count only
	// when GroupsKnown is set; then they are all, and may be none.
	Groups      []string
	GroupsKnown bool
	CreatedAt   time.Time // of the link to an account
	// SignedInAt is when the person showed the provider who they are; zero when it
	// does not say.
	SignedInAt time.Time
}

// IdentityStore keeps which identity is which account.
type IdentityStore interface {
	// AccountByIdentity returns NotFound for an identity that leads nowhere. An
	// account that was deleted is Suspended.
	AccountByIdentity(ctx context.Context, issuer, subject string) (Account, error)
	// CreateUserWithIdentity stores both or neither; Exists when the login or
	// the identity is taken.
	CreateUserWithIdentity(ctx context.Context, a Account, i Identity, e audit.Entry) (int64, error)
	// LinkIdentity stores the link; nothing to do when it is there. Conflict
	// when the identity is another account's, or the account has another one
	// of the same issuer.
	LinkIdentity(ctx context.Context, accountID int64, i Identity, e audit.Entry) error
	// UnlinkIdentities removes all of an account's links and ends the sessions
	// that came from them, and what the account's tokens were authorized for.
	// NotFound when there is none.
	UnlinkIdentities(ctx context.Context, accountID int64, e audit.Entry) error
	// ListIdentities returns an account's identities, the oldest first.
	ListIdentities(ctx context.Context, accountID int64) ([]Identity, error)
	// SignOnOrganizations returns the organizations of a member that demand
	// single sign-on, in the order of their logins.
	SignOnOrganizations(ctx context.Context, accountID int64) ([]SignOn, error)
}

// SignOn is an organization that demands single sign-on, as one member sees it.
type SignOn struct {
	OrganizationID int64
	Login          string
	// Tokens are the member's tokens that may reach it, by id.
	Tokens []int64
}

// Groups makes the groups of a user those that an outside provider says: the
// user leaves every team that such a group fills and that is not among them.
type Groups interface {
	ReplaceGroups(ctx context.Context, userID int64, groups []string) error
}

// Identities lets people in for whom an outside provider vouches. Safe for
// concurrent use.
type Identities struct {
	Store  IdentityStore
	Groups Groups
	// Create lets people in who have no account yet, by making one.
	Create func(ctx context.Context) (bool, error)
	Now    func() time.Time
}

// SignIn returns the user that i is, and makes one at the first sign-in. An
// account of the same login is never taken for it: whoever may choose their
// name at the provider could take it over. Such a person signs in by password
// and links the identity. Denied tells why somebody does not get in.
func (s *Identities) SignIn(ctx context.Context, i Identity) (access.Principal, error) {
	a, err := s.Store.AccountByIdentity(ctx, i.Issuer, i.Subject)
	if errs.Is(err, errs.NotFound) {
		a, err = s.create(ctx, i)
	}
	if err != nil {
		return access.Principal{}, err
	}
	if a.Suspended {
		return access.Principal{}, errs.New(errs.Denied, "your account is suspended or was deleted; ask the site administrator")
	}
	if err := s.replaceGroups(ctx, a.ID, i); err != nil {
		return access.Principal{}, err
	}
	return principal(a), nil
}

func (s *Identities) replaceGroups(ctx context.Context, accountID int64, i Identity) error {
	if !i.GroupsKnown || s.Groups == nil {
		return nil
	}
	return s.Groups.ReplaceGroups(ctx, accountID, i.Groups)
}

func (s *Identities) create(ctx context.Context, i Identity) (Account, error) {
	allowed, err := s.Create(ctx)
	if err != nil {
		return Account{}, err
	}
	if !allowed {
		return Account{}, errs.New(errs.Denied,
			"no account is linked to your identity, and sign-up is closed; ask the site administrator for an account")
	}
	login, err := newLogin(loginFrom(i.Login))
	if err != nil {
		return Account{}, errs.Wrap(errs.Denied, err, "your name at the provider, %q, cannot become a login here; ask the site administrator", i.Login)
	}
	a := Account{Login: login, DisplayLogin: login, Kind: User, CreatedAt: s.Now(), Settings: DefaultSettings()}
	i.CreatedAt = a.CreatedAt
	a.ID, err = s.Store.CreateUserWithIdentity(ctx, a, i, audit.Entry{
		At: a.CreatedAt, Actor: audit.Server, Action: "user.create", Target: login,
		Detail: map[string]any{"issuer": i.Issuer, "subject": i.Subject},
	})
	if !errs.Is(err, errs.Exists) {
		return a, err
	}
	// Perhaps another request of the same person was faster.
	if a, err := s.Store.AccountByIdentity(ctx, i.Issuer, i.Subject); !errs.Is(err, errs.NotFound) {
		return a, err
	}
	return Account{}, errs.New(errs.Denied, "the login %s is taken. If it is yours, sign in with your password once "+
		"and link your identity under Settings; else ask the site administrator", login)
}

// Link makes i a way for who to sign in. Conflict when it is another account's.
// An account has one identity of a provider, so that a password alone does not
// open the account to somebody else's.
func (s *Identities) Link(ctx context.Context, who access.Principal, i Identity) error {
	i.CreatedAt = s.Now()
	err := s.Store.LinkIdentity(ctx, who.AccountID, i, audit.Entry{
		At: i.CreatedAt, Actor: audit.By(who), Action: "user.link-identity", Target: who.Login,
		Detail: map[string]any{"issuer": i.Issuer, "subject": i.Subject},
	})
	if err != nil {
		return err
	}
	return s.replaceGroups(ctx, who.AccountID, i)
}

// Unlink takes all identities from the account, ends the sessions that came from
// them, the authorizations of tokens for single sign-on, and what the groups gave.
func (s *Identities) Unlink(ctx context.Context, by audit.Actor, a Account) error {
	if err := s.replaceGroups(ctx, a.ID, Identity{GroupsKnown: true}); err != nil {
		return err
	}
	return s.Store.UnlinkIdentities(ctx, a.ID, audit.Entry{At: s.Now(), Actor: by, Action: "user.unlink-identities", Target: a.Login})
}

// List returns the identities of who, the oldest first.
func (s *Identities) List(ctx context.Context, who access.Principal) ([]Identity, error) {
	return s.Store.ListIdentities(ctx, who.AccountID)
}

// SignOns returns the organizations of who that demand single sign-on.
func (s *Identities) SignOns(ctx context.Context, who access.Principal) ([]SignOn, error) {
	return s.Store.SignOnOrganizations(ctx, who.AccountID)
}

// loginFrom makes a login of a provider's name for a person: what stands before
// an @, with one hyphen for all that a login cannot have. It may still be none.
func loginFrom(name string) string {
	name, _, _ = strings.Cut(name, "@")
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	}) {
		if b.Len() > 0 {
			b.WriteByte('-')
		}
		b.WriteString(part)
	}
	login := b.String()
	return strings.Trim(login[:min(len(login), MaxLoginLength)], "-")
}
