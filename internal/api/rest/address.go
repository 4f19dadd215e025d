package rest

import (
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// packageType reads the type of a package. GitHub's other types are known and
// not here: there is no package of them.
func packageType(text string) (access.PackageType, error) {
	switch text {
	case "container":
		return access.Container, nil
	case "docker":
		return access.Docker, nil
	case "npm", "maven", "rubygems", "nuget":
		return "", errPackageNotFound()
	}
	return "", errs.New(errs.Invalid, "Invalid argument. package_type is container or docker on this server.")
}

// address returns the address of a package by the login of its owner and its
// name, both in any case of letters; ok is false for what no package can be called.
func address(t access.PackageType, owner, name string) (access.Package, bool) {
	n, err := oci.ParseName(strings.ToLower(owner + "/" + name))
	if err != nil || n.Package() == "" || strings.Contains(owner, "/") {
		return access.Package{}, false
	}
	return access.Package{Type: t, Name: n}, true
}
