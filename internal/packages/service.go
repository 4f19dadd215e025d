package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Options is what a Service is built from.
type Options struct {
	Facts        Facts
	Directory    Directory
	Settings     Settings
	Grants       Grants
	Descriptions Descriptions
	Migrations   Migrations
	Contents     Contents
	Browsing     Browsing
	Lists        Lists
	Deletions    Deletions
	Tagging      Tagging
	Immutable    ImmutableTags
	Counts       DownloadCounts
	Newest       LatestTags
	Related      Related
	Readmes      Readmes
	Storage      Storage
	// RestoreWindow is how long what was deleted can be restored.
	RestoreWindow time.Duration
	Now           func() time.Time
}

// Service is what can be done with packages besides pushing and pulling. Each
// method that changes one needs the role admin on it. To those who may not know
// that a package exists it is NotFound, and so is one that does not. Safe for
// concurrent use.
type Service struct{ Options }

// New returns a Service.
func New(o Options) *Service { return &Service{o} }

// administer returns the facts about p if who may change its settings, and with
// a visibility also give it that.
func (s *Service) administer(ctx context.Context, who access.Principal, p access.Package, v access.Visibility) (access.Facts, error) {
	return s.decide(ctx, who, p, access.Effects{Action: access.Administer, Visibility: v})
}

func (s *Service) decide(ctx context.Context, who access.Principal, p access.Package, e access.Effects) (access.Facts, error) {
	f, err := s.Facts.Facts(ctx, who, p)
	if err != nil {
		return access.Facts{}, err
	}
	d := access.Decide(who, p.Name, f, e)
	if d.Allowed && f.Exists {
		return f, nil
	}
	if e.Action == access.Write && !d.Visible { // nothing is made here, so the answer is that to one who looks
		e.Action = access.Read
		d = access.Decide(who, p.Name, f, e)
	}
	return access.Facts{}, refusal(who, p.Name, f, e, d)
}

// refusal is the error for those who may not do e, who learn of a package that
// they may not see what they learn of one that does not exist.
func refusal(who access.Principal, asked oci.Name, f access.Facts, e access.Effects, d access.Decision) error {
	text := access.Explain(who, asked, f, e, d)
	detail := map[string]string{"reason": d.Reason.Code}
	switch {
	case d.SignIn():
		return errs.New(errs.Unauthenticated, "authentication required")
	case d.Absent():
		return errs.New(errs.NotFound, "%s", text)
	}
	return errs.New(errs.Denied, "%s", text).WithDetail(detail)
}

// entry is the record of a change that who makes to the package of f.
func (s *Service) entry(who access.Principal, f access.Facts, action string, detail map[string]any) audit.Entry {
	if f.Type == access.Docker {
		if detail == nil {
			detail = map[string]any{}
		}
		detail["type"] = string(access.Docker)
	}
	return audit.Entry{At: s.Now(), Actor: audit.By(who), Action: action, Target: f.Name.String(), Detail: detail}
}

// ofRepository refuses what a package of the Docker registry has from its
// repository, such as a visibility of its own.
func ofRepository(f access.Facts, what string) error {
	if f.Type != access.Docker {
		return nil
	}
	return errs.New(errs.Unsupported, "%s belongs to the Docker registry and follows its repository %s: %s", f.Name, f.Repository, what)
}
