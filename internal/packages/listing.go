package packages

import (
	"context"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Owner is an account that owns packages, as lists show it.
type Owner struct {
	ID           int64
	Login        string
	Name         string
	Organization bool
	SiteAdmin    bool
}

// ListedRepository is a repository that a package is linked to, as lists show it.
type ListedRepository struct {
	ID          int64
	Name        oci.Name
	Description string
	Visibility  access.Visibility
	Owner       Owner
	CreatedAt   time.Time
}

// Listed is a package as lists show it.
type Listed struct {
	ID         int64
	Owner      Owner
	Name       oci.Name
	Type       access.PackageType
	Visibility access.Visibility
	// Repository is nil without a link, and for those who may not know of it.
	Repository   *ListedRepository
	VersionCount int64 // the present ones
	// UpdatedAt is when something was last pushed or tagged.
	CreatedAt, UpdatedAt time.Time
	DeletedAt            time.Time // zero for a present one
	Downloads            int64
}

// ListQuery chooses packages; empty fields choose all.
type ListQuery struct {
	Owner      string // login, also a former one
	Type       access.PackageType
	Visibility access.Visibility
	Repository string // OWNER/NAME
	// Deleted asks for those that can be restored, and that who may restore.
	Deleted bool
	// Text stands somewhere in the name, and so does each of Words.
	Text  string
	Words []string
	Sort  ListSort
	// Enough is where the count may stop: a total above it stands for that many
	// or more, and there is a next page if it is above what the pages so far
	// hold. Zero counts all.
	Enough        int
	Page, PerPage int // as of VersionQuery
}

// ListSort is the order of a list of packages.
type ListSort string

// The orders; "" is by owner, type and name. The others have the highest first.
const (
	SortName      ListSort = ""
	SortUpdated   ListSort = "updated"
	SortDownloads ListSort = "downloads"
)

// Lists reads lists of packages.
type Lists interface {
	// ListedPackages returns a page of the packages that q chooses and who may
	// read, or with q.Deleted restore, in the order of q, and how many they are.
	// It looks at MaxReach packages, the first by owners, types and names. Of a
	// repository that who may not know of there are none.
	ListedPackages(ctx context.Context, who access.Principal, q ListQuery, w Span) (list []Listed, total int, err error)
	// ListedPackage returns a present package by its id; NotFound without it.
	ListedPackage(ctx context.Context, who access.Principal, id int64) (Listed, error)
	// NewestPublic returns up to n packages that everybody may read, those
	// published last first. It looks at no more than a few hundred.
	NewestPublic(ctx context.Context, n int) ([]Listed, error)
	// AnyPackage reports whether there is a present package at all.
	AnyPackage(ctx context.Context) (bool, error)
}

// inNoName reports whether no name of a package has that character.
func inNoName(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("._-/", r))
}

// ListPackages returns a page of the packages that who may read, or of the
// deleted ones that who may restore, and how many there are on all pages. Of an
// owner that does not exist there are none.
func (s *Service) ListPackages(ctx context.Context, who access.Principal, q ListQuery) (list []Listed, total int, err error) {
	w, err := s.span(q.Page, q.PerPage)
	if err != nil {
		return nil, 0, err
	}
	switch q.Sort {
	case SortName, SortUpdated, SortDownloads:
	default:
		return nil, 0, errs.New(errs.Invalid, "packages are sorted by name, updated or downloads")
	}
	q.Owner, q.Text, q.Repository = strings.ToLower(q.Owner), strings.ToLower(q.Text), strings.ToLower(q.Repository)
	q.Words = strings.Fields(strings.ToLower(strings.Join(q.Words, " ")))
	for _, text := range append([]string{q.Owner, q.Text, q.Repository}, q.Words...) {
		if strings.ContainsFunc(text, inNoName) {
			return nil, 0, nil
		}
	}
	if !access.MayList(who) {
		who = access.Principal{} // sees what everybody sees
	}
	return s.Lists.ListedPackages(ctx, who.Unrestricted(), q, w)
}

// NewestPublic returns up to n packages that everybody may read, those published
// last first.
func (s *Service) NewestPublic(ctx context.Context, n int) ([]Listed, error) {
	return s.Lists.NewestPublic(ctx, n)
}

// Any reports whether the server holds a package at all, whoever may read it: it
// is for those who administer the site.
func (s *Service) Any(ctx context.Context) (bool, error) { return s.Lists.AnyPackage(ctx) }

// Package returns one package that who may read.
func (s *Service) Package(ctx context.Context, who access.Principal, p access.Package) (Listed, error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Listed{}, err
	}
	return s.Lists.ListedPackage(ctx, who, f.PackageID)
}
