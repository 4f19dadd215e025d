package app

import (
	"context"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
)

// HookTarget is what a hook is of as commands name it: OWNER for a user or an
// organization, OWNER/NAME for a package.
type HookTarget struct {
	Name string
	// Repository says that OWNER/NAME is a repository.
	Repository bool
	// Type is container or docker, for a package; empty for whichever there is.
	Type string
}

// address asks the store what an account is.
func (t HookTarget) address(ctx context.Context, a *App) (hooks.Address, error) {
	name, err := oci.ParseName(strings.ToLower(t.Name))
	if err != nil {
		return hooks.Address{}, err
	}
	switch {
	case t.Repository:
		return hooks.Address{Kind: hooks.OfRepository, Name: name}, nil
	case name.Package() != "":
		p, err := PackageAddress{Name: t.Name, Type: t.Type}.parse()
		return hooks.Address{Kind: hooks.OfPackage, Name: p.Name, Type: p.Type, Also: p.Also}, err
	}
	found, err := a.Store.HookTarget(ctx, name)
	return hooks.Address{Kind: found.Kind(), Name: name}, err
}

// onHooks runs do as the operator.
func onHooks(ctx context.Context, cfg *config.Config, t HookTarget, do func(s *hooks.Service, who access.Principal, a hooks.Address) error) error {
	return administer(ctx, cfg, func(app *App) error {
		a, err := t.address(ctx, app)
		if err != nil {
			return err
		}
		return do(app.Hooks, operator(), a)
	})
}

// NewHook describes a hook to create.
type NewHook struct {
	URL, ContentType, Secret string
	Events                   []string
	InsecureSSL              bool
}

// CreateHook makes a hook and returns its id.
func CreateHook(ctx context.Context, cfg *config.Config, t HookTarget, n NewHook) (id int64, err error) {
	err = onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error {
		h, err := s.Create(ctx, who, a, hooks.Change{
			URL: &n.URL, ContentType: &n.ContentType, Secret: &n.Secret, Events: n.Events, InsecureSSL: &n.InsecureSSL,
		})
		id = h.ID
		return err
	})
	return id, err
}

// ListHooks returns a heading and a row for each hook of the target itself.
func ListHooks(ctx context.Context, cfg *config.Config, t HookTarget) ([][]string, error) {
	rows := [][]string{{"ID", "URL", "TYPE", "EVENTS", "SECRET", "ACTIVE", "LAST ANSWER", "FAILING SINCE"}}
	err := onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error {
		list, err := s.List(ctx, who, a)
		for _, h := range list {
			last := "none"
			if h.Last != nil {
				last = answered(h.Last.Code)
			}
			rows = append(rows, []string{
				strconv.FormatInt(h.ID, 10), h.URL, h.ContentType, strings.Join(h.Events, ","), yesNo(h.HasSecret), yesNo(h.Active), last, shortTime(h.FailingSince),
			})
		}
		return err
	})
	return rows, err
}

func answered(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}

func shortTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04")
}

// DeleteHook removes a hook and the log of its deliveries.
func DeleteHook(ctx context.Context, cfg *config.Config, t HookTarget, id int64) error {
	return onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error { return s.Delete(ctx, who, a, id) })
}

// SwitchHook makes a hook active or not. The operator answers for it from then on.
func SwitchHook(ctx context.Context, cfg *config.Config, t HookTarget, id int64, active bool) error {
	return onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error {
		_, err := s.Update(ctx, who, a, id, hooks.Change{Active: &active})
		return err
	})
}

// PingHook has the server send a ping to the hook.
func PingHook(ctx context.Context, cfg *config.Config, t HookTarget, id int64) error {
	return onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error { return s.Ping(ctx, who, a, id) })
}

// ListDeliveries returns a heading and a row for each of the newest deliveries.
func ListDeliveries(ctx context.Context, cfg *config.Config, t HookTarget, id int64, limit int) ([][]string, error) {
	if limit < 1 || limit > hooks.MaxDeliveries {
		return nil, errs.New(errs.Invalid, "--limit is 1 to %d", hooks.MaxDeliveries)
	}
	rows := [][]string{{"ID", "GUID", "EVENT", "ACTION", "STATE", "ATTEMPTS", "ANSWER", "MADE", "ERROR"}}
	err := onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error {
		list, err := s.Deliveries(ctx, who, a, id, hooks.DeliveryQuery{Limit: limit})
		for _, d := range list {
			rows = append(rows, []string{
				strconv.FormatInt(d.ID, 10), d.GUID, d.Event, string(d.Action), string(d.State), strconv.Itoa(d.Attempts), answered(d.StatusCode),
				shortTime(d.CreatedAt), d.Error,
			})
		}
		return err
	})
	return rows, err
}

// Redeliver has the server send a delivery once more.
func Redeliver(ctx context.Context, cfg *config.Config, t HookTarget, id, delivery int64) error {
	return onHooks(ctx, cfg, t, func(s *hooks.Service, who access.Principal, a hooks.Address) error {
		return s.Redeliver(ctx, who, a, id, delivery)
	})
}
