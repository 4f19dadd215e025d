// Package clients holds no code but tests that drive the built program with
// the clients people use: docker, podman, skopeo, buildah, containerd, crane,
// regctl, helm and the library of oras. Each of them logs in, pushes, pulls,
// lists, deletes and attaches what it can, on SQLite with a disk and on
// PostgreSQL with S3, and what arrives is compared by digest.
//
// Every client has a home, a login and a namespace of its own, so that no
// setting of this machine matters and none is changed.
package clients
