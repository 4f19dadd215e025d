package account

import (
	"context"
	"io"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Options is what a Service is built from.
type Options struct {
	Store     Store
	Passwords *Passwords
	Now       func() time.Time
	Random    io.Reader
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
	// Name and Email may be empty.
	Name, Email string
}

// entry is the record of a change that happens now.
func (s *Service) entry(by audit.Actor, action, target string, detail map[string]any) audit.Entry {
	return audit.Entry{At: s.Now(), Actor: by, Action: action, Target: target, Detail: detail}
}

// CreateUser makes a user. Invalid for a login or password that breaks the
// rules, Exists for a login that is taken, in any case of letters.
func (s *Service) CreateUser(ctx context.Context, by audit.Actor, u NewUser) (Account, error) {
	login, err := newLogin(u.Login)
	if err != nil {
		return Account{}, err
	}
	a := s.newAccount(User, login, u.Login)
	if err := checkProfile(&u.Name, &u.Email, nil); err != nil {
		return Account{}, err
	}
	a.SiteAdmin, a.Name, a.Email = u.SiteAdmin, u.Name, u.Email
	if u.Password != "" {
		if a.PasswordHash, err = s.Passwords.Hash(ctx, u.Password); err != nil {
			return Account{}, err
		}
	}
	a.ID, err = s.Store.CreateUser(ctx, a, s.entry(by, "user.create", login, map[string]any{"site_admin": u.SiteAdmin}))
	return a, err
}

func (s *Service) newAccount(k Kind, login, display string) Account {
	return Account{Login: login, DisplayLogin: display, Kind: k, CreatedAt: s.Now(), Settings: DefaultSettings()}
}

// CreateOrganization makes an organization that the user named owner owns.
func (s *Service) CreateOrganization(ctx context.Context, by audit.Actor, display, owner string) (Account, error) {
	login, err := newLogin(display)
	if err != nil {
		return Account{}, err
	}
	first, err := s.find(ctx, owner, User)
	if err != nil {
		return Account{}, err
	}
	a := s.newAccount(Organization, login, display)
	a.ID, err = s.Store.CreateOrganization(ctx, a, first.ID, s.entry(by, "org.create", login, map[string]any{"owner": first.Login}))
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

// SetMember makes the user a member of the organization in that role. Conflict
// when it would be left without an owner.
func (s *Service) SetMember(ctx context.Context, by audit.Actor, organization, user string, role access.Membership) error {
	if role != access.Member && role != access.Owner {
		return errs.New(errs.Invalid, "a member's role is %s or %s", access.Member, access.Owner)
	}
	org, u, err := s.pair(ctx, organization, user)
	if err != nil {
		return err
	}
	return s.Store.SetMember(ctx, org.ID, u.ID, role,
		s.entry(by, "member.set", org.Login, map[string]any{"user": u.Login, "role": string(role)}))
}

// RemoveMember ends the user's membership, and what the organization gave to the
// user: places in its teams, roles on its repositories and packages. Conflict for
// the last owner.
func (s *Service) RemoveMember(ctx context.Context, by audit.Actor, organization, user string) error {
	org, u, err := s.pair(ctx, organization, user)
	if err != nil {
		return err
	}
	return s.Store.RemoveMember(ctx, org.ID, u.ID, s.entry(by, "member.remove", org.Login, map[string]any{"user": u.Login}))
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
	return s.Store.ListMembers(ctx, org.ID)
}
