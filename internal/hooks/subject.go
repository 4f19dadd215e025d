package hooks

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// Subject is all that a payload tells of.
type Subject struct {
	Owner      Account
	Sender     Account
	Repository *Repository // nil without a link
	Package    *Package    // nil for a ping
	Version    *Version    // nil for what concerns the package as a whole
}

// Account is a user, an organization, or with an ID of zero something that acts
// and has no account.
type Account struct {
	ID           int64
	Login        string
	Organization bool
	SiteAdmin    bool
	Description  string
}

// Repository is the one that a package is linked to.
type Repository struct {
	ID          int64
	Name        oci.Name
	Owner       Account
	Visibility  access.Visibility
	Description string
	CreatedAt   time.Time
}

// Package is the package of an event.
type Package struct {
	ID         int64
	Name       oci.Name
	Type       access.PackageType
	Visibility access.Visibility
	CreatedAt  time.Time
}

// Version is the version of an event. All but ID and Digest are empty when it was
// removed for good meanwhile.
type Version struct {
	ID                            int64
	Digest                        string
	MediaType                     string
	Size                          int64
	Description, Licenses, Source string
	Author                        Account
	CreatedAt                     time.Time
	Content                       []byte // of the manifest
	// Tags are those that it has, or had when it was deleted.
	Tags []string
}

// Contents reads small blobs.
type Contents interface {
	// SmallBlob returns the bytes of a blob; nil for one that is not there, is
	// damaged or is larger than max.
	SmallBlob(ctx context.Context, d oci.Digest, max int64) ([]byte, error)
}

// image is what is read of a version's manifest and its config.
type image struct {
	manifest *oci.Manifest // nil when it cannot be read
	labels   map[string]string
}

// The most that is told of labels, so that no image makes a payload of megabytes.
const (
	maxLabels     = 256
	maxLabel      = 4 << 10
	maxLayers     = 512
	maxLabelBytes = 64 << 10
)

// look reads the manifest and the labels of a version: of an image those of its
// config, and besides the annotations of the manifest.
func look(ctx context.Context, contents Contents, v *Version) (image, error) {
	var i image
	if v == nil || len(v.Content) == 0 {
		return i, nil
	}
	m, err := oci.ParseManifest(v.MediaType, v.Content)
	if err != nil {
		return i, nil // it was taken by other rules; what can be told without is told
	}
	i.manifest = m
	all := maps.Clone(m.Annotations)
	if all == nil {
		all = map[string]string{}
	}
	if m.Config != nil && oci.IsImageConfig(m.Config.MediaType) && m.Config.Size <= oci.MaxConfigSize {
		config, err := contents.SmallBlob(ctx, m.Config.Digest, oci.MaxConfigSize)
		if err != nil {
			return i, err
		}
		maps.Copy(all, labelsOf(config))
	}
	i.labels = few(all)
	return i, nil
}

func labelsOf(config []byte) map[string]string {
	var document struct {
		Config struct {
			Labels map[string]json.RawMessage `json:"Labels"`
		} `json:"config"`
	}
	if json.Unmarshal(config, &document) != nil {
		return nil
	}
	labels := map[string]string{}
	for name, raw := range document.Config.Labels {
		var value string
		if json.Unmarshal(raw, &value) == nil {
			labels[name] = value
		}
	}
	return labels
}

// few returns as many labels as may be told, in the order of their names.
func few(all map[string]string) map[string]string {
	labels, size := map[string]string{}, 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value := all[name]
		if size += len(name) + len(value); len(value) > maxLabel || len(labels) == maxLabels || size > maxLabelBytes {
			size -= len(name) + len(value)
			continue
		}
		labels[name] = value
	}
	return labels
}
