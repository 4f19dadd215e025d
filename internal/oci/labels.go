package oci

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
	"unicode"
)

// Labels is what an image says of itself, in the labels of its config or in
// annotations: plain text, cut to the lengths that are shown.
type Labels struct {
	Source, Description, Licenses string
	// ExpiresAfter is how long the image is wanted after its push, as written.
	ExpiresAfter string
}

// The longest values in characters. A longer source is none; longer texts are
// cut.
const (
	MaxSource      = 1024
	MaxDescription = 512
	MaxLicenses    = 256
	maxExpires     = 32
)

// The names of the labels, in a config and as annotations.
const (
	labelSource      = "org.opencontainers.image.source"
	labelDescription = "org.opencontainers.image.description"
	labelLicenses    = "org.opencontainers.image.licenses"
)

// The labels that ask for an end: Quay's, and the same without its maker's name,
// which counts before it.
const labelExpires, labelExpiresOfQuay = "expires-after", "quay.expires-after"

// MaxConfigSize is the size in bytes up to which image configs are read.
const MaxConfigSize = 1 << 20

// IsImageConfig reports whether mediaType is that of an image config, which has
// labels.
func IsImageConfig(mediaType string) bool {
	return mediaType == "application/vnd.oci.image.config.v1+json" ||
		mediaType == "application/vnd.docker.container.image.v1+json"
}

// ConfigLabels returns the labels of an image config. What is no such config,
// or larger than MaxConfigSize, has none.
func ConfigLabels(config []byte) Labels {
	if len(config) > MaxConfigSize {
		return Labels{}
	}
	var document struct {
		Config struct {
			Labels map[string]json.RawMessage `json:"Labels"`
		} `json:"config"`
	}
	if json.Unmarshal(config, &document) != nil {
		return Labels{}
	}
	return labelsOf(func(name string) (value string) {
		_ = json.Unmarshal(document.Config.Labels[name], &value) // what is no string is none
		return value
	})
}

// Labels returns what the manifest's annotations say.
func (m *Manifest) Labels() Labels {
	return labelsOf(func(name string) string { return m.Annotations[name] })
}

// Or returns l with what it lacks taken from other.
func (l Labels) Or(other Labels) Labels {
	for _, f := range []struct {
		mine  *string
		other string
	}{{&l.Source, other.Source}, {&l.Description, other.Description}, {&l.Licenses, other.Licenses}, {&l.ExpiresAfter, other.ExpiresAfter}} {
		if *f.mine == "" {
			*f.mine = f.other
		}
	}
	return l
}

// ExpiresAt is when an image pushed at that time is no longer wanted; ok is false
// when it does not say, or not in a form that ParseAge reads.
func (l Labels) ExpiresAt(pushed time.Time) (at time.Time, ok bool) {
	age, err := ParseAge(l.ExpiresAfter)
	return pushed.Add(age), err == nil
}

func labelsOf(value func(name string) string) Labels {
	l := Labels{
		Source:      plain(value(labelSource), MaxSource+1),
		Description: plain(value(labelDescription), MaxDescription),
		Licenses:    plain(value(labelLicenses), MaxLicenses),

		ExpiresAfter: plain(cmp.Or(value(labelExpires), value(labelExpiresOfQuay)), maxExpires),
	}
	if len([]rune(l.Source)) > MaxSource {
		l.Source = ""
	}
	return l
}

// plain returns the first n characters of s that can be shown.
func plain(s string, n int) string {
	var b strings.Builder
	for _, r := range strings.TrimSpace(s) {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			continue
		}
		if n == 0 {
			break
		}
		b.WriteRune(r)
		n--
	}
	return b.String()
}
