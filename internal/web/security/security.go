// Package security is the settings of how a person gets in: password, second factor, passkeys and
// recovery codes.
package security

import (
	"embed"

	"packhouse/internal/account"
	"packhouse/internal/web/frame"
)

//go:embed all:templates locales
var files embed.FS

// Deps is what the room is made of.
type Deps struct {
	Accounts *account.Service
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
	r := &room{opened, d}
	r.routes(f)
	return nil
}

func (r *room) routes(_ *frame.Frame) {}
