// Package registry holds the rules behind the OCI distribution API: blobs,
// upload sessions, mounts, manifests, tags, referrers. It knows no HTTP and no
// SQL.
//
// Every method that reads or changes something of a package takes the
// principal that asks, looks the package up, and passes through access.Decide
// with the full set of effects before it returns or changes anything. There is
// no other way to the objects.
//
// Order of promises: bytes are durable before the row that names them, and the
// row is durable before the caller is answered.
package registry
