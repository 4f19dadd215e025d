// Package tokenapi speaks the token endpoint of the distribution protocol: GET
// and POST /token, which exchange a login with a personal access token or a
// password, or nothing, for a short-lived bearer token.
//
// The endpoint answers what was granted and never why something was not: a
// package that is private and one that does not exist give the same answer.
package tokenapi
