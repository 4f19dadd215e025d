package store

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// pushEvents collects what a push of a manifest is to those who listen.
type pushEvents struct {
	base    hooks.Event
	version int64
	fresh   bool // the version was not there before
	tags    []pushedTag
	named   bool // there are tags, moved or not
}

type pushedTag struct{ name, previous string }

func newEvents(packageID int64, c *registry.ManifestCommit) *pushEvents {
	return &pushEvents{base: hooks.Event{
		PackageID: packageID, Digest: c.Digest.String(), Actor: c.Into.By, ActorID: c.Into.Actor, At: c.Now,
	}}
}

// set notes that the tag leads to the version now, and to previous before, ""
// for nowhere.
func (p *pushEvents) set(tag oci.Tag, previous string) {
	p.named = true
	if previous != p.base.Digest {
		p.tags = append(p.tags, pushedTag{tag.String(), previous})
	}
}

// list returns the events: a new version is published, once for each tag; one
// that was there is updated by each tag that it got. A tag that led to another
// version was moved besides.
func (p *pushEvents) list() []hooks.Event {
	var list []hooks.Event
	add := func(a hooks.Action, tag, previous string) {
		e := p.base
		e.Action, e.VersionID, e.Tag, e.Previous = a, p.version, tag, previous
		list = append(list, e)
	}
	if p.fresh && !p.named {
		add(hooks.Published, "", "")
	}
	for _, t := range p.tags {
		if p.fresh {
			add(hooks.Published, t.name, "")
		} else {
			add(hooks.Updated, t.name, "")
		}
		if t.previous != "" {
			add(hooks.TagMoved, t.name, t.previous)
		}
	}
	return list
}

// imagesShown are the events of Docker packages that get the visibility v with
// their repository.
func imagesShown(ctx context.Context, tx *database.Tx, repositoryID int64, v access.Visibility, e audit.Entry) ([]hooks.Event, error) {
	rows, err := tx.Query(ctx, `SELECT id, visibility FROM packages
		WHERE repository_id = ? AND type = 'docker' AND deleted_at IS NULL AND visibility <> ? ORDER BY id`, repositoryID, string(v))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []hooks.Event
	for rows.Next() {
		change := hooks.Event{Action: hooks.VisibilityChanged, Visibility: string(v), Actor: e.Actor, At: e.At}
		if err := rows.Scan(&change.PackageID, &change.Previous); err != nil {
			return nil, err
		}
		list = append(list, change)
	}
	return list, rows.Err()
}
