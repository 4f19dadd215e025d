// Package access decides who may do what with a package: roles, visibility and
// the scopes of a credential become one decision. Its functions are pure; the
// facts come from the database at the moment of the request.
//
// A right is what the credential's scopes, the role of its account and, for a
// bearer token, what it was issued for have in common. Whatever is not known is
// refused.
package access
