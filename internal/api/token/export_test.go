package tokenapi

import "packhouse/internal/access"

func ParseScopes(values []string) ([]access.Grant, error) { return parseScopes(values) }
