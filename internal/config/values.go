package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// assign sets the variable behind target from a value of the YAML file, or
// from the text of a variable or flag. Its errors do not repeat the value: it
// may be a secret in the wrong place.
func assign(target, value any) error {
	switch t := target.(type) {
	case *[]string:
		return assignList(t, value, func(s string) (string, error) { return s, nil })
	case *[]netip.Prefix:
		return assignList(t, value, parsePrefix)
	}
	text, err := scalar(value)
	if err != nil {
		return err
	}
	switch t := target.(type) {
	case *string:
		*t = text
	case *Secret:
		*t = NewSecret(text)
	case *bool:
		return parseInto(t, text, strconv.ParseBool, "must be true or false")
	case *int:
		return parseInto(t, text, strconv.Atoi, "must be a whole number")
	case *float64:
		return parseInto(t, text, parseFloat, "must be a number")
	case *time.Duration:
		return parseInto(t, text, time.ParseDuration, "must be a duration such as 30s, 10m or 24h")
	case *ByteSize:
		return parseInto(t, text, ParseByteSize, "must be a size such as 512KiB or 10GiB")
	default:
		return fmt.Errorf("has a type that cannot be set: %T", target)
	}
	return nil
}

func parseInto[T any](target *T, text string, parse func(string) (T, error), rule string) error {
	v, err := parse(strings.TrimSpace(text))
	if err != nil {
		return errors.New(rule)
	}
	*target = v
	return nil
}

func parseFloat(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

// parsePrefix takes a network, or one address as the network of itself.
func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, errors.New("must hold networks such as 10.0.0.0/8 or addresses")
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// assignList replaces the list, so that a later source does not add to an
// earlier one. Text is cut at commas.
func assignList[T any](target *[]T, value any, parse func(string) (T, error)) error {
	var parts []string
	switch v := value.(type) {
	case string:
		parts = strings.Split(v, ",")
	case []any:
		for _, e := range v {
			s, err := scalar(e)
			if err != nil {
				return err
			}
			parts = append(parts, s)
		}
	default:
		return errors.New("must be a list")
	}
	list := []T{}
	for _, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		e, err := parse(p)
		if err != nil {
			return err
		}
		list = append(list, e)
	}
	*target = list
	return nil
}

func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	case nil:
		return "", errors.New("has no value")
	default:
		return "", errors.New("must be a single value")
	}
}

func format(target any) string {
	switch t := target.(type) {
	case *string:
		return *t
	case *bool:
		return strconv.FormatBool(*t)
	case *int:
		return strconv.Itoa(*t)
	case *float64:
		return strconv.FormatFloat(*t, 'g', -1, 64)
	case *time.Duration:
		return formatDuration(*t)
	case *ByteSize:
		return t.String()
	case *[]string:
		return strings.Join(*t, ",")
	case *[]netip.Prefix:
		parts := make([]string, 0, len(*t))
		for _, p := range *t {
			parts = append(parts, p.String())
		}
		return strings.Join(parts, ",")
	default:
		return ""
	}
}

// formatDuration writes 24h where time.Duration writes 24h0m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
