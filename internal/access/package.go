package access

import "packhouse/internal/oci"

// PackageType says which of the two registries a package belongs to.
type PackageType string

// The package types, as GitHub's API spells them.
const (
	Container PackageType = "container"
	Docker    PackageType = "docker"
)

// Package is an address: the object of a request. There may be nothing at it.
type Package struct {
	// Type is the registry that the address belongs to: where a first push
	// makes the package, and where it is looked for first.
	Type PackageType
	// Also is the other registry that the address may lead to, "" for none.
	Also PackageType
	Name oci.Name
}
