// Package token owns the credentials that are not passwords: the tokens of users
// and of jobs, the registry bearer tokens that the token endpoint issues, and the
// keys that sign them. Its Authenticator turns the Authorization header of any
// request into a principal.
//
// Secrets are kept as SHA-256 and shown once. What a principal may do is decided
// by package access.
package token
