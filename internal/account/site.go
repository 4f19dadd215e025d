package account

import (
	"context"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// The names of the server's settings.
const (
	settingContainer = "registry.container"
	settingDocker    = "registry.docker"
	settingSignUp    = "sign_up"
	settingWithdraw  = "public_to_private"       // read by the change of a visibility
	settingGuard     = "packages.download_guard" // read by deletions
)

// Site is what the site administrator decides for the whole server.
type Site struct {
	Container, Docker access.Mode
	// SignUp lets people make accounts for themselves.
	SignUp bool
	// KeepPublic lets only administrators of the site make what is public
	// private or internal again.
	KeepPublic bool
	// DownloadGuard is how often a public version or package may have been
	// pulled that others than administrators of the site delete; 0 for any number.
	DownloadGuard int64
}

// defaultDownloadGuard is what deletions go by while nothing is set.
const defaultDownloadGuard = 5000

// Site returns the settings as they are now; they may change at any time.
func (s *Service) Site(ctx context.Context) (Site, error) {
	set, err := s.Store.SiteSettings(ctx)
	if err != nil {
		return Site{}, err
	}
	guard, err := strconv.ParseInt(set[settingGuard], 10, 64)
	if err != nil {
		guard = defaultDownloadGuard
	}
	return Site{
		DownloadGuard: guard,
		Container:     mode(set[settingContainer]), Docker: mode(set[settingDocker]),
		SignUp: set[settingSignUp] == "open", KeepPublic: set[settingWithdraw] == "forbidden",
	}, nil
}

func mode(value string) access.Mode {
	if value == "" {
		return access.Enabled
	}
	return access.Mode(value)
}

// SignUpOpen reports whether people may make accounts for themselves.
func (s *Service) SignUpOpen(ctx context.Context) (bool, error) {
	site, err := s.Site(ctx)
	return site.SignUp, err
}

// SetRegistry switches one of the two registries, on all nodes, from the next
// request on.
func (s *Service) SetRegistry(ctx context.Context, by audit.Actor, registry access.PackageType, m access.Mode) error {
	name := settingContainer
	switch registry {
	case access.Container:
	case access.Docker:
		name = settingDocker
	default:
		return errs.New(errs.Invalid, "the registries are %s and %s", access.Container, access.Docker)
	}
	if m != access.Enabled && m != access.ReadOnly && m != access.Disabled {
		return errs.New(errs.Invalid, "a registry is %s, %s or %s", access.Enabled, access.ReadOnly, access.Disabled)
	}
	return s.setSite(ctx, by, name, string(m))
}

// SetSignUp opens or closes the making of accounts by oneself.
func (s *Service) SetSignUp(ctx context.Context, by audit.Actor, open bool) error {
	value := "closed"
	if open {
		value = "open"
	}
	return s.setSite(ctx, by, settingSignUp, value)
}

// SetKeepPublic says whether only administrators of the site may make public
// packages private or internal again.
func (s *Service) SetKeepPublic(ctx context.Context, by audit.Actor, keep bool) error {
	value := "allowed"
	if keep {
		value = "forbidden"
	}
	return s.setSite(ctx, by, settingWithdraw, value)
}

// SetDownloadGuard says how often what is public may have been pulled before only
// administrators of the site delete it.
func (s *Service) SetDownloadGuard(ctx context.Context, by audit.Actor, downloads int64) error {
	if downloads < 0 {
		return errs.New(errs.Invalid, "the guard of downloads is a number from 0 on")
	}
	return s.setSite(ctx, by, settingGuard, strconv.FormatInt(downloads, 10))
}

func (s *Service) setSite(ctx context.Context, by audit.Actor, name, value string) error {
	return s.Store.SetSiteSetting(ctx, name, value, s.entry(by, "site.set", name, map[string]any{"value": value}))
}
