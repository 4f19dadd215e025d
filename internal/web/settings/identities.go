package settings

import (
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/web/frame"
)

// identitiesPage is as whom outside providers know somebody.
type identitiesPage struct {
	frame.OwnerPage
	// Provider is what people call the outside provider; empty without one.
	Provider   string
	Identities []account.Identity
	// Linked is set when one of them is the present provider's, and Locked when
	// there is no other way in, so that none can be unlinked.
	Linked, Locked bool
}

func (r *room) identitiesPage(c *frame.Call) (identitiesPage, error) {
	own, err := r.own(c, "identities", "settings.identities")
	page := identitiesPage{OwnerPage: own, Provider: r.ProviderName, Locked: own.Owner.PasswordHash == ""}
	if err != nil || r.Identities == nil {
		return page, err
	}
	page.Identities, err = r.Identities.List(c.R.Context(), c.Who)
	for _, i := range page.Identities {
		page.Linked = page.Linked || i.Issuer == r.Issuer
	}
	return page, err
}

func (r *room) identities(c *frame.Call) error {
	page, err := r.identitiesPage(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "identities", page)
}

// unlink takes all identities away. Sessions that came from them end.
func (r *room) unlink(c *frame.Call) error {
	page, err := r.identitiesPage(c)
	switch {
	case err != nil:
		return err
	case r.Identities == nil:
		return errNotThere()
	case page.Locked:
		err = errs.New(errs.Precondition, "set a password first, or you could not sign in any more")
	default:
		err = r.Identities.Unlink(c.R.Context(), audit.By(c.Who), page.Owner.Account)
	}
	if err != nil {
		return r.again(c, err, "identities", &page.Page, func() any { return page })
	}
	return c.Done("/settings/identities", "identities-unlinked")
}
