// Package account owns users and organizations: their logins, who is a member
// of which organization, and passwords. It decides nothing about packages; that
// is package access. It imports only access and errs.
package account
