package app

import (
	"context"
	"encoding/json"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
)

// SetRegistry switches one of the registries; servers that run obey at once.
func SetRegistry(ctx context.Context, cfg *config.Config, registry, mode string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetRegistry(ctx, audit.Operator, access.PackageType(registry), access.Mode(mode))
	})
}

// SetSignUp opens or closes the making of accounts by oneself.
func SetSignUp(ctx context.Context, cfg *config.Config, open bool) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetSignUp(ctx, audit.Operator, open)
	})
}

// SetDownloadGuard says how often what is public may have been downloaded before
// only administrators of the server delete it; 0 for any number.
func SetDownloadGuard(ctx context.Context, cfg *config.Config, downloads int64) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetDownloadGuard(ctx, audit.Operator, downloads)
	})
}

// SetPublicToPrivate says whether the admins of a public package may make it
// private or internal again.
func SetPublicToPrivate(ctx context.Context, cfg *config.Config, allowed bool) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetKeepPublic(ctx, audit.Operator, !allowed)
	})
}

// ShowSite returns a heading and a row for each switch of the server.
func ShowSite(ctx context.Context, cfg *config.Config) ([][]string, error) {
	rows := [][]string{{"SWITCH", "STATE"}}
	err := directory(ctx, cfg, func(s *account.Service) error {
		site, err := s.Site(ctx)
		signUp := "closed"
		if site.SignUp {
			signUp = "open"
		}
		withdraw := "allowed"
		if site.KeepPublic {
			withdraw = "forbidden"
		}
		rows = append(rows, []string{"registry container", string(site.Container)},
			[]string{"registry docker", string(site.Docker)}, []string{"sign-up", signUp}, []string{"public-to-private", withdraw},
			[]string{"download-guard", strconv.FormatInt(site.DownloadGuard, 10)})
		return err
	})
	return rows, err
}

// Audit returns a heading and a row for each of the last changes, the newest
// first. before is the number of the row to go on after, or zero.
func Audit(ctx context.Context, cfg *config.Config, before int64, limit int) ([][]string, error) {
	rows := [][]string{{"NUMBER", "TIME", "WHO", "WHAT", "ON", "DETAIL"}}
	err := administer(ctx, cfg, func(a *App) error {
		service := audit.Service{Store: a.Store}
		list, err := service.List(ctx, audit.Query{Before: before, Limit: limit})
		for _, e := range list {
			detail, err := json.Marshal(e.Detail)
			if err != nil {
				return err
			}
			rows = append(rows, []string{
				strconv.FormatInt(e.ID, 10), e.At.Format(shownTime), string(e.Actor), e.Action, e.Target, string(detail),
			})
		}
		return err
	})
	return rows, err
}
