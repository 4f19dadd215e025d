package account

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// The longest texts that accounts, teams and repositories say of themselves, in
// characters.
const (
	MaxName        = 255
	MaxDescription = 1000
)

// MaxReadme is how many bytes a repository's readme may have.
const MaxReadme = 128 << 10

// Profile names what an account says of itself, and how it wants to see the
// pages; nil fields stay.
type Profile struct {
	Name, Email, Description *string
	// Language and Theme are names that the pages know; "" is what the browser
	// asks for.
	Language, Theme *string
}

// Preferences are how somebody wants to see the pages, as in Profile.
type Preferences struct{ Language, Theme string }

// TeamChange names what to change of a team; nil fields stay.
type TeamChange struct {
	// Slug is another name for addresses. The old one leads nowhere then.
	Slug              *string
	Name, Description *string
}

// SetProfile changes what the account says of itself. An address of mail is not
// checked, and nothing is ever sent to it.
func (s *Service) SetProfile(ctx context.Context, by audit.Actor, login string, p Profile) error {
	if err := checkProfile(p.Name, p.Email, p.Description); err != nil {
		return err
	}
	if err := checkPreferences(p.Language, p.Theme); err != nil {
		return err
	}
	a, err := s.Get(ctx, login)
	if err != nil {
		return err
	}
	return s.Store.SetProfile(ctx, a.ID, p, s.entry(by, "account.profile", a.Login, nil))
}

// Preferences returns how the account wants to see the pages; NotFound for one
// that was deleted.
func (s *Service) Preferences(ctx context.Context, accountID int64) (Preferences, error) {
	return s.Store.Preferences(ctx, accountID)
}

// checkPreferences refuses what no language and no theme is called.
func checkPreferences(names ...*string) error {
	for _, name := range names {
		odd := func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
		if name != nil && (len(*name) > 35 || strings.ContainsFunc(*name, odd)) {
			return errs.New(errs.Invalid, "a language and a theme are names of letters and hyphens")
		}
	}
	return nil
}

// RepositoryReadme returns the readme of a repository, which is Markdown; "" for
// none. Who may see it has been decided before.
func (s *Service) RepositoryReadme(ctx context.Context, id int64) (string, error) {
	return s.Store.RepositoryReadme(ctx, id)
}

// SetRepositoryReadme gives the repository that readme, or with "" takes it away.
// Invalid for what is no UTF-8 text, and TooLarge over MaxReadme.
func (s *Service) SetRepositoryReadme(ctx context.Context, by audit.Actor, name, text string) error {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch {
	case len(text) > MaxReadme:
		return errs.New(errs.TooLarge, "a readme has %d KiB at most", MaxReadme>>10)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return errs.New(errs.Invalid, "a readme is text in UTF-8")
	}
	r, err := s.Repository(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.SetRepositoryReadme(ctx, r.ID, text, s.entry(by, "repository.readme", r.Name.String(), map[string]any{"bytes": len(text)}))
}

// DescribeRepository changes the repository's description.
func (s *Service) DescribeRepository(ctx context.Context, by audit.Actor, name, description string) error {
	if err := checkProfile(nil, nil, &description); err != nil {
		return err
	}
	r, err := s.Repository(ctx, name)
	if err != nil {
		return err
	}
	return s.Store.SetRepositoryDescription(ctx, r.ID, description, s.entry(by, "repository.describe", r.Name.String(), nil))
}

// ChangeTeam changes the team's names and its description. Exists when another
// team of the organization has the slug.
func (s *Service) ChangeTeam(ctx context.Context, by audit.Actor, organization, slug string, c TeamChange) error {
	if err := checkProfile(c.Name, nil, c.Description); err != nil {
		return err
	}
	t, err := s.Team(ctx, organization, slug)
	if err != nil {
		return err
	}
	detail := map[string]any{}
	if c.Slug != nil {
		folded, err := ParseLogin(*c.Slug)
		if err != nil {
			return errTeamName()
		}
		c.Slug, detail["slug"] = &folded, folded
	}
	return s.Store.ChangeTeam(ctx, t, c, s.entry(by, "team.change", strings.ToLower(organization)+"/"+t.Slug, detail))
}

func errTeamName() error {
	return errs.New(errs.Invalid, "a team's name has 1 to %d letters, digits and single hyphens, none of them first or last", MaxLoginLength)
}

// checkProfile refuses texts that are too long or that lists could not show; nil
// ones are fine.
func checkProfile(name, email, description *string) error {
	for _, one := range []struct {
		what  string
		value *string
		most  int
		lines bool
	}{{"name", name, MaxName, false}, {"address of mail", email, MaxName, false}, {"description", description, MaxDescription, true}} {
		if one.value == nil {
			continue
		}
		text := *one.value
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > one.most {
			return errs.New(errs.Invalid, "a %s has at most %d characters", one.what, one.most)
		}
		for _, r := range text {
			if unicode.IsControl(r) && !(one.lines && (r == '\n' || r == '\t' || r == '\r')) {
				return errs.New(errs.Invalid, "a %s has no control characters", one.what)
			}
		}
	}
	if email != nil && *email != "" && !strings.Contains(*email, "@") {
		return errs.New(errs.Invalid, "%q is not an e-mail address", *email)
	}
	return nil
}
