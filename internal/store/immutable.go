package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// checkMutable refuses with Conflict when a rule of the package or of its owner
// holds one of the tags for good. Whatever moves a present tag, ends one or
// deletes its version calls it first, in the transaction that does so; a tag that
// is not set yet may be set.
func checkMutable(ctx context.Context, tx *database.Tx, packageID int64, tags ...string) error {
	held, err := heldTags(ctx, tx, packageID)
	if err != nil || held.none() {
		return err
	}
	for _, tag := range tags {
		if err := held.check(tag); err != nil {
			return err
		}
	}
	return nil
}

// checkVersionMutable is checkMutable for all present tags of a version.
func checkVersionMutable(ctx context.Context, tx *database.Tx, packageID int64, digest string) error {
	held, err := heldTags(ctx, tx, packageID)
	if err != nil || held.none() {
		return err
	}
	tags, err := queryNames(ctx, tx, `SELECT name FROM tags WHERE package_id = ? AND digest = ? AND until IS NULL`, packageID, digest)
	if err != nil {
		return err
	}
	return held.checkAll(tags)
}

// checkPackageMutable is checkMutable for all present tags of a package.
func checkPackageMutable(ctx context.Context, tx *database.Tx, packageID int64) error {
	held, err := heldTags(ctx, tx, packageID)
	if err != nil || held.none() {
		return err
	}
	tags, err := queryNames(ctx, tx, `SELECT name FROM tags WHERE package_id = ? AND until IS NULL`, packageID)
	if err != nil {
		return err
	}
	return held.checkAll(tags)
}

// holding is what a package's rules say of its tags.
type holding struct {
	ofPackage, ofOwner []oci.TagPattern
	owner              string
}

func heldTags(ctx context.Context, q database.Querier, packageID int64) (h holding, err error) {
	var own, owners string
	err = q.QueryRow(ctx, `SELECT p.immutable_tags, o.immutable_tags, o.login FROM packages p
		JOIN accounts o ON o.id = p.owner_id WHERE p.id = ?`, packageID).Scan(&own, &owners, &h.owner)
	if errors.Is(err, sql.ErrNoRows) {
		return h, errs.New(errs.NotFound, "the package is gone")
	}
	if err != nil {
		return h, err
	}
	if h.ofPackage, err = patterns(own); err != nil {
		return h, err
	}
	h.ofOwner, err = patterns(owners)
	return h, err
}

func patterns(text string) (list []oci.TagPattern, err error) {
	if text == "" {
		return nil, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, err
	}
	for _, name := range names {
		p, err := oci.ParseTagPattern(name)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (h holding) none() bool { return len(h.ofPackage)+len(h.ofOwner) == 0 }

func (h holding) checkAll(tags []string) error {
	for _, tag := range tags {
		if err := h.check(tag); err != nil {
			return err
		}
	}
	return nil
}

func (h holding) check(tag string) error {
	t, err := oci.ParseTag(tag)
	if err != nil {
		return nil // no such tag can be set
	}
	for _, p := range h.ofPackage {
		if p.Protects(t) {
			return errHeld(tag, p, "the package")
		}
	}
	for _, p := range h.ofOwner {
		if p.Protects(t) {
			return errHeld(tag, p, h.owner)
		}
	}
	return nil
}

// errHeld is 409 with the code DENIED at /v2/, which clients show and do not
// try again.
func errHeld(tag string, p oci.TagPattern, whose string) error {
	return errs.New(errs.Conflict, "the tag %s is immutable by the pattern %s of %s: it cannot be moved or deleted, nor its version, unless an admin changes that rule",
		tag, p, whose).WithDetail(map[string]string{"tag": tag, "pattern": p.String()})
}

// SetPackageImmutableTags implements packages.ImmutableTags.
func (s *Store) SetPackageImmutableTags(ctx context.Context, id int64, list []oci.TagPattern, e audit.Entry) error {
	text, err := patternsText(list)
	if err != nil {
		return err
	}
	return s.changePackage(ctx, id, e, func(ctx context.Context, tx *database.Tx, _ packageRow) error {
		_, err := tx.Exec(ctx, `UPDATE packages SET immutable_tags = ? WHERE id = ?`, text, id)
		return err
	})
}

// SetOwnerImmutableTags implements packages.ImmutableTags.
func (s *Store) SetOwnerImmutableTags(ctx context.Context, ownerID int64, list []oci.TagPattern, e audit.Entry) error {
	text, err := patternsText(list)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET immutable_tags = ? WHERE id = ? AND deleted_at IS NULL`, text, ownerID)
		if err != nil {
			return err
		}
		if err := oneRow(res, errs.New(errs.NotFound, "the account is gone")); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

func patternsText(list []oci.TagPattern) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.String()
	}
	text, err := json.Marshal(names)
	return string(text), err
}

// PackageImmutableTags implements packages.ImmutableTags.
func (s *Store) PackageImmutableTags(ctx context.Context, id int64) (own, owners []oci.TagPattern, err error) {
	h, err := heldTags(ctx, s.db.Read(), id)
	return h.ofPackage, h.ofOwner, err
}

// OwnerImmutableTags implements packages.ImmutableTags.
func (s *Store) OwnerImmutableTags(ctx context.Context, ownerID int64) ([]oci.TagPattern, error) {
	var text string
	err := s.db.Read().QueryRow(ctx, `SELECT immutable_tags FROM accounts WHERE id = ?`, ownerID).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errs.New(errs.NotFound, "the account is gone")
	}
	if err != nil {
		return nil, err
	}
	return patterns(text)
}
