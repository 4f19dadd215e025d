// Package v2 speaks the OCI distribution API under /v2/: it reads requests,
// calls the registry, and writes answers and errors in the protocol's form. The
// rules are in package registry.
//
// Paths are matched by our own parser, from the right, since names hold
// slashes; nothing is cleaned or redirected. Every route carries a policy, and
// New refuses a table with a route that has none.
package v2
