// Package packages holds what can be decided about a package besides its
// content: its visibility, its link to a repository, who has which role on it,
// its name and owner, and its way out of the Docker registry. Who may do what
// is access.Decide's to say. Every change is one transaction with its entry in
// the record.
package packages
