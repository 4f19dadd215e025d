package access

import "packhouse/internal/oci"

// PackageType says which of the two registries a package belongs to.
type PackageType string

// The package types, as GitHub's API spells them.
const (
	Container PackageType = "container"
	Docker    PackageType = "docker"
)

// Package names one package: the object of a decision. It may not exist.
type Package struct {
	Type PackageType
	Name oci.Name
}
