package lists

import (
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// row is a package in a list.
type row struct {
	packages.Listed
	// Text is the name as the list shows it: with its owner, or without.
	Text string
}

// Path is the address of the package.
func (r row) Path() string { return frame.PackagePath(r.Listed) }

// Container reports whether it is of the Container registry.
func (r row) Container() bool { return r.Type == "container" }

func rows(list []packages.Listed, full bool) []row {
	all := make([]row, len(list))
	for i, l := range list {
		all[i] = row{l, l.Name.Package()}
		if full {
			all[i].Text = l.Name.String()
		}
	}
	return all
}
