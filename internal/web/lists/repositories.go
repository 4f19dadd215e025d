package lists

import (
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/web/frame"
)

// repositoriesPage is the list of the repositories of an account.
type repositoriesPage struct {
	frame.OwnerPage
	Text         string
	Repositories []account.OwnedRepository
	Total        int64
	Pages        pages
	// Action is where the form leads.
	Action string
}

// repositories shows those that the visitor may know of.
func (r *room) repositories(c *frame.Call, o frame.Owner) error {
	f := readFilter(c)
	p := repositoriesPage{OwnerPage: c.OwnerPage(o, "repositories", "lists.repositories-of", o.DisplayLogin), Text: f.Text, Action: o.Path()}
	all, err := r.Directory.RepositoriesOf(c.R.Context(), c.Who, o.ID)
	if err != nil {
		return err
	}
	for _, one := range all {
		if sees(c.Who, one) && matches(one, f.Text) {
			p.Repositories = append(p.Repositories, one)
		}
	}
	total := len(p.Repositories)
	p.Total, p.Pages = int64(total), pagesOf(c, f.Page, total)
	first := min((f.Page-1)*perPage, total)
	p.Repositories = p.Repositories[first:min(first+perPage, total)]
	return r.Show(c, frame.OK, "repositories", p)
}

func sees(who access.Principal, one account.OwnedRepository) bool {
	return access.DecideDirectory(who, one.Standing, access.SeeRepository) == access.Granted
}

// matches reports whether every word of text is in the name or the description.
func matches(one account.OwnedRepository, text string) bool {
	in := strings.ToLower(one.Name.Package() + " " + one.Description)
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if !strings.Contains(in, word) {
			return false
		}
	}
	return true
}
