// Package rest is the REST API of GitHub's packages and directory, and what this
// server has beside it, in the same style.
//
// A Handler is given paths without the prefix /api/v3. Each route is one line in
// a list of routes (see Handler.routes), with a pattern such as
//
//	/orgs/{org}/packages/{package_type}/{package_name...}/versions/{package_version_id}
//
// in which {name...} takes one segment or several: package names may be sent with
// %2F or with plain slashes. Where two patterns match, the one with more segments
// is meant, and of those with as many the one with fewer parameters. Each route has a policy, which says who may call it; a Handler with a
// route that has none is not made. For packages the policy is that the service
// behind the route decides; for the directory it is decided before the route's
// function runs.
//
// A route's function is a method on *Handler that takes a *call and returns its
// failure; encode turns that into GitHub's form of an error. It answers by
// call.json, call.page, call.none or call.raw.
package rest
