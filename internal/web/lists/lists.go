// Package lists is where packages are found: the first page, the lists of an account, and search.
package lists

import (
	"embed"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Packages  *packages.Service
	Accounts  *account.Service
	Directory Directory
	// Makes is the type of the packages that pushes to the host of the first
	// steps make.
	Makes access.PackageType
}

// Directory reads who belongs where, and the repositories of accounts.
type Directory interface {
	account.Standings
	account.People
}

type room struct {
	*frame.Room
	Deps
}

// New puts the room's pages on f. The error is that of a broken build.
func New(f *frame.Frame, d Deps) error {
	opened, err := f.Open(files)
	if err != nil {
		return err
	}
	if d.Makes == "" {
		d.Makes = access.Container
	}
	r := &room{opened, d}
	r.Declare("home", homePage{})
	r.Declare("welcome", welcomePage{})
	r.Declare("packages", packagesPage{})
	r.Declare("repositories", repositoriesPage{})
	r.Declare("search", searchPage{})
	r.routes(f)
	return nil
}

func (r *room) routes(f *frame.Frame) {
	f.On("GET /{$}", r.first)
	f.On("GET /{owner}", r.owner)
	f.On("GET /orgs/{owner}", r.organization)
	f.On("GET /orgs/{owner}/packages", r.organization)
	f.On("GET /users/{owner}/packages", r.user)
	f.On("GET /search", r.search)
	f.On("GET "+firstPushPath, r.firstPush)
	f.On("GET /robots.txt", r.robots)
	f.On("GET /favicon.ico", r.favicon)
}
