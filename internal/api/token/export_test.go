package tokenapi

import "packhouse/internal/access"

func ParseScopes(values []string) (packages []access.Grant, catalog bool, err error) {
	w, err := parseScopes(values)
	return w.packages, w.catalog, err
}
