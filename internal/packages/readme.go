package packages

import (
	"context"
	"strings"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// MaxReadme is how many bytes a package's readme may have.
const MaxReadme = 128 << 10

// Readmes keeps what packages say of themselves at length.
type Readmes interface {
	// PackageReadme returns the text, "" for none; NotFound for a package that is
	// gone.
	PackageReadme(ctx context.Context, id int64) (string, error)
	// SetPackageReadme is a change as those of Settings.
	SetPackageReadme(ctx context.Context, id int64, text string, e audit.Entry) error
}

// Readme returns the package's own readme, which is Markdown; "" for none.
func (s *Service) Readme(ctx context.Context, who access.Principal, p access.Package) (string, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return "", err
	}
	return s.Readmes.PackageReadme(ctx, f.PackageID)
}

// SetReadme gives the package that readme, or with "" takes it away. Invalid for
// what is no UTF-8 text, and TooLarge over MaxReadme.
func (s *Service) SetReadme(ctx context.Context, who access.Principal, p access.Package, text string) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(text, "\r\n", "\n")
	switch {
	case len(text) > MaxReadme:
		return errs.New(errs.TooLarge, "a readme has %d KiB at most", MaxReadme>>10)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return errs.New(errs.Invalid, "a readme is text in UTF-8")
	}
	return s.Readmes.SetPackageReadme(ctx, f.PackageID, text, s.entry(who, f, "package.readme", map[string]any{"bytes": len(text)}))
}
