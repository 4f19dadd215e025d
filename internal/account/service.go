package account

import (
	"context"
	"io"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// Options is what a Service is built from.
type Options struct {
	Store        Store
	Members      Members
	Passwords    *Passwords
	Now          func() time.Time
	Random       io.Reader
	Repositories Repositories
}

// Service is what can be done with accounts. Safe for concurrent use.
type Service struct {
	Options
	recent *recent
}

// New returns a Service; it fails only without randomness.
func New(o Options) (*Service, error) {
	key := make([]byte, 32)
	if _, err := io.ReadFull(o.Random, key); err != nil {
		return nil, err
	}
	return &Service{Options: o, recent: newRecent(key)}, nil
}

// NewUser describes a user to create.
type NewUser struct {
	Login string
	// Password may be empty: then the user signs in by token alone.
	Password  string
	SiteAdmin bool
}

// CreateUser makes a user. Invalid for a login or password that breaks the
// rules, Exists for a login that is taken, in any case of letters.
func (s *Service) CreateUser(ctx context.Context, u NewUser) (Account, error) {
	login, err := newLogin(u.Login)
	if err != nil {
		return Account{}, err
	}
	a := Account{Login: login, Kind: User, SiteAdmin: u.SiteAdmin, CreatedAt: s.Now()}
	if u.Password != "" {
		if a.PasswordHash, err = s.Passwords.Hash(ctx, u.Password); err != nil {
			return Account{}, err
		}
	}
	a.ID, err = s.Store.CreateUser(ctx, a)
	return a, err
}

// CreateOrganization makes an organization that the user named owner owns.
func (s *Service) CreateOrganization(ctx context.Context, login, owner string) (Account, error) {
	login, err := newLogin(login)
	if err != nil {
		return Account{}, err
	}
	first, err := s.find(ctx, owner, User)
	if err != nil {
		return Account{}, err
	}
	a := Account{Login: login, Kind: Organization, CreatedAt: s.Now()}
	a.ID, err = s.Store.CreateOrganization(ctx, a, first.ID)
	return a, err
}

// Get returns the account of that login, in any case of letters, or NotFound.
func (s *Service) Get(ctx context.Context, login string) (Account, error) {
	folded, err := ParseLogin(login)
	if err != nil {
		return Account{}, errs.New(errs.NotFound, "no account %q", login)
	}
	return s.Store.AccountByLogin(ctx, folded)
}

func (s *Service) find(ctx context.Context, login string, k Kind) (Account, error) {
	a, err := s.Get(ctx, login)
	if err == nil && a.Kind != k {
		return Account{}, errs.New(errs.NotFound, "no %s %q", k, login)
	}
	return a, err
}

// SetPassword gives the user a new password. Sign-ins with the old one end.
func (s *Service) SetPassword(ctx context.Context, login, password string) error {
	a, err := s.find(ctx, login, User)
	if err != nil {
		return err
	}
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.Store.SetPasswordHash(ctx, a.ID, a.PasswordHash, hash)
}

// Suspend shuts the account out, or lets it in again. Its credentials stop
// working at once for writes, and for reads within the life of a bearer token.
func (s *Service) Suspend(ctx context.Context, login string, suspended bool) error {
	a, err := s.Get(ctx, login)
	if err != nil {
		return err
	}
	var at time.Time
	if suspended {
		at = s.Now()
	}
	return s.Store.SetSuspended(ctx, a.ID, at)
}

// SetMember makes the user a member of the organization in that role. Conflict
// when it would be left without an owner.
func (s *Service) SetMember(ctx context.Context, organization, user string, role access.Membership) error {
	if role != access.Member && role != access.Owner {
		return errs.New(errs.Invalid, "a member's role is %s or %s", access.Member, access.Owner)
	}
	org, u, err := s.pair(ctx, organization, user)
	if err != nil {
		return err
	}
	return s.Members.SetMember(ctx, org.ID, u.ID, role, s.Now())
}

// RemoveMember ends the user's membership. Conflict for the last owner.
func (s *Service) RemoveMember(ctx context.Context, organization, user string) error {
	org, u, err := s.pair(ctx, organization, user)
	if err != nil {
		return err
	}
	return s.Members.RemoveMember(ctx, org.ID, u.ID)
}

func (s *Service) pair(ctx context.Context, organization, user string) (org, u Account, err error) {
	if org, err = s.find(ctx, organization, Organization); err != nil {
		return org, u, err
	}
	u, err = s.find(ctx, user, User)
	return org, u, err
}

// ListMembers returns an organization's members in the order of their logins.
func (s *Service) ListMembers(ctx context.Context, organization string) ([]Member, error) {
	org, err := s.find(ctx, organization, Organization)
	if err != nil {
		return nil, err
	}
	return s.Members.ListMembers(ctx, org.ID)
}
