package security

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"rsc.io/qr"

	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// appPage shows what to put into an authenticator app.
type appPage struct {
	frame.OwnerPage
	// Key is the secret as a text, in groups of four.
	Key string
	QR  code
	// First is set when no second factor is on yet.
	First bool
}

// code is a QR code: its size, with the margin around it, and a path of its dark
// squares.
type code struct {
	Size int
	Path string
}

// margin is how many squares stay white around a code.
const margin = 4

func draw(text string) (code, error) {
	made, err := qr.Encode(text, qr.M)
	if err != nil {
		return code{}, err
	}
	var path strings.Builder
	for y := range made.Size {
		for x := range made.Size {
			if made.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+margin, y+margin)
			}
		}
	}
	return code{Size: made.Size + 2*margin, Path: path.String()}, nil
}

func (r *room) beginApp(c *frame.Call) error {
	if err := r.Factors.BeginApp(c.R.Context(), c.Who); err != nil {
		return r.again(c, err)
	}
	return c.Redirect(home + "/app")
}

func (r *room) appPage(c *frame.Call) (appPage, error) {
	own, err := r.own(c, "security.app-title")
	if err != nil {
		return appPage{}, err
	}
	setup, err := r.Factors.AppSetup(c.R.Context(), c.Who)
	if err != nil {
		return appPage{}, err
	}
	page := appPage{OwnerPage: own, Key: grouped(setup.Key), First: !own.Owner.SecondFactor}
	page.QR, err = draw(setup.Address)
	return page, err
}

func (r *room) setUpApp(c *frame.Call) error {
	page, err := r.appPage(c)
	if errs.Is(err, errs.NotFound) {
		return c.Redirect(home)
	}
	if err != nil {
		return err
	}
	return r.ShowSecret(c, frame.OK, "app", page)
}

func (r *room) confirmApp(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	codes, err := r.Factors.ConfirmApp(c.R.Context(), c.Who, form.Get("code"), c.Session)
	if errs.Is(err, errs.Unauthenticated) {
		page, failure := r.appPage(c)
		if failure != nil {
			return failure
		}
		err = errs.New(errs.Invalid, "the code is not right; look whether the clock of your device is")
		page.Page = c.Failed(page.Page, err)
		c.R.Header.Del("Accept-Encoding") // the secret stands there, as in ShowSecret
		return c.Again(err, r.Room, "app", page)
	}
	if err != nil {
		return r.again(c, err)
	}
	return r.added(c, codes, "security-app-added")
}

// added shows the recovery codes that came with the first second factor.
func (r *room) added(c *frame.Call, codes []string, done string) error {
	if codes == nil {
		return c.Done(home, done)
	}
	return r.showCodes(c, codes)
}

func (r *room) removeApp(c *frame.Call) error {
	if err := r.Factors.RemoveApp(c.R.Context(), c.Who); err != nil {
		return r.again(c, err)
	}
	return c.Done(home, "security-app-removed")
}

// codesPage shows recovery codes, once.
type codesPage struct {
	frame.OwnerPage
	Codes []string
	// All is what is copied, and File the address of a file with the codes.
	All  string
	File template.URL
}

func (r *room) showCodes(c *frame.Call, codes []string) error {
	own, err := r.own(c, "security.codes-title")
	if err != nil {
		return err
	}
	all := strings.Join(codes, "\n")
	file := template.URL("data:text/plain;charset=utf-8," + url.PathEscape(own.Host+"\n\n"+all+"\n")) //nolint:gosec // escaped
	return r.ShowSecret(c, frame.OK, "codes", codesPage{own, codes, all, file})
}

func (r *room) renewCodes(c *frame.Call) error {
	codes, err := r.Factors.RenewRecoveryCodes(c.R.Context(), c.Who)
	if err != nil {
		return r.again(c, err)
	}
	return r.showCodes(c, codes)
}

func grouped(key string) string {
	var b strings.Builder
	for i, r := range key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}
