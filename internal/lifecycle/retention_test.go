package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

func TestAPlanIsAppliedAndUndone(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		amd, arm := s.image(p, []string{"base", "amd"}), s.image(p, []string{"base", "arm"})
		old := s.index(p, []thing{amd, arm}, "v1")
		about := s.referrer(p, old)
		s.days(10)
		fresh := s.index(p, []thing{s.image(p, []string{"base", "new"}), arm}, "v2", "latest")
		s.days(1)
		before := s.dump()
		plan := s.planned(`{"delete":[{"tags":["v*"],"older_than":"5d"}],"keep":[{"tags":["latest"]}]}`)
		if plan.Versions != 3 || plan.State != lifecycle.Planned {
			t.Errorf("planned %+v", plan)
		}
		if s.dump() != before {
			t.Error("a plan changed something")
		}
		items, err := s.Items(t.Context(), s.ann, s.app, plan.ID, 0, 10)
		s.check(err)
		if len(items) != 3 {
			t.Fatalf("%d items: %+v", len(items), items)
		}
		var bytes int64
		for _, item := range items {
			bytes += item.Bytes
		}
		// The config and the layer of amd and those of the referrer: nothing else needs them.
		want := int64(len(`{"os":"linux","n":1}`) + len("amd") + len(`{"os":"linux","n":4}`) + len("about"))
		if bytes != plan.Bytes || bytes != want {
			t.Errorf("frees %d and in all %d bytes, want %d", bytes, plan.Bytes, want)
		}
		plan, err = s.Apply(t.Context(), s.ann, s.app, plan.ID)
		s.check(err)
		for _, m := range []thing{old, amd, about} {
			if s.present(p, m) {
				t.Errorf("%s is still there", m.digest)
			}
		}
		if !s.present(p, arm) || !s.present(p, fresh) {
			t.Error("something went that v2 needs")
		}
		_, err = s.Apply(t.Context(), s.ann, s.app, plan.ID)
		s.refused(err, errs.Conflict, "applied")
		undo, err := s.UndoPlan(t.Context(), s.ann, s.app, plan.ID)
		s.check(err)
		if undo.Versions != 3 || undo.Tags != 1 || len(undo.Taken) != 0 {
			t.Errorf("undone %+v", undo)
		}
		if s.dump() != before {
			t.Errorf("not as before:\n%s\n%s", before, s.dump())
		}
		_, err = s.UndoPlan(t.Context(), s.ann, s.app, plan.ID)
		s.refused(err, errs.Conflict, "undone")
	})
}

// What a plan frees goes by what the owner has. What others hold is not to be
// found out by it: neither by pushing the same bytes, nor by naming a digest as a
// foreign layer, which needs no bytes at all.
func TestAPlanTellsNothingOfWhatOthersHold(t *testing.T) {
	onShelves(t, func(s *shelf) {
		ann, p := s.ann, s.app.Package
		s.ann = s.bob // who holds the same and more, where ann sees nothing
		s.image(packageAt("bob/hidden"), []string{"the same bytes", "bob's alone"}, "v1")
		s.ann = ann
		foreign := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":%q,"size":%d,"urls":["https://layers.example/1"]}`,
			oci.SHA256.FromBytes([]byte("bob's alone")), len("bob's alone"))
		config := s.blob(p, "application/vnd.oci.image.config.v1+json", `{"os":"linux"}`)
		same := s.blob(p, "application/vnd.oci.image.layer.v1.tar", "the same bytes")
		s.pushed(p, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s,%s]}`, oci.MediaTypeImageManifest, config, same, foreign))
		s.image(p, nil, "latest")
		plan := s.planned(`{"delete":[{"untagged":true}]}`)
		if want := int64(len(`{"os":"linux"}`) + len("the same bytes")); plan.Versions != 1 || plan.Bytes != want {
			t.Errorf("%d versions of %d bytes, want one of %d", plan.Versions, plan.Bytes, want)
		}
	})
}

// Each change makes a plan unfit, and then nothing of it is done.
func TestAPlanThatNoLongerFitsIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *shelf, old, child thing)
		text   string
	}{
		"a tag moved away":  {func(s *shelf, _, _ thing) { s.image(s.app.Package, nil, "v1") }, "by now"},
		"a tag was set":     {func(s *shelf, old, _ thing) { s.pushed(s.app.Package, old.content, "keep") }, "by now"},
		"a child got a tag": {func(s *shelf, _, child thing) { s.pushed(s.app.Package, child.content, "child") }, "by now"},
		"an index took the child": {func(s *shelf, _, child thing) {
			s.index(s.app.Package, []thing{child}, "other")
		}, "by now"},
		"a version was pulled": {func(s *shelf, _, child thing) { s.pull(s.app.Package, child) }, "pulled"},
		"a version is gone": {func(s *shelf, old, _ thing) {
			s.check(s.registry.DeleteManifest(s.t.Context(), s.ann, s.app.Package, oci.Reference{Digest: old.digest}))
		}, "gone"},
		"the tag is immutable": {func(s *shelf, _, _ thing) {
			list, err := packagePatterns("v*")
			s.check(err)
			s.check(s.packages.SetImmutableTags(s.t.Context(), s.ann, s.app.Package, list))
		}, "by now"},
		"the package is gone": {func(s *shelf, _, _ thing) {
			s.exec(`UPDATE packages SET deleted_at = 1`)
		}, ""},
		"too old": {func(s *shelf, _, _ thing) { s.days(7) }, "older than 7 days"},
	} {
		t.Run(name, func(t *testing.T) {
			onShelves(t, func(s *shelf) {
				p := s.app.Package
				child := s.image(p, []string{"x"})
				old := s.index(p, []thing{child}, "v1")
				s.image(p, nil, "latest")
				s.days(10)
				plan := s.planned(`{"delete":[{"tags":["v*"],"older_than":"5d"}]}`)
				if plan.Versions != 2 {
					t.Fatalf("planned %+v", plan)
				}
				s.now = s.now.Add(time.Second)
				c.change(s, old, child)
				before := s.dump()
				_, err := s.Apply(t.Context(), s.ann, s.app, plan.ID)
				if !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.NotFound) {
					t.Fatalf("applied: %v", err)
				}
				if c.text != "" {
					s.refused(err, errs.Conflict, c.text)
				}
				if s.dump() != before {
					t.Error("something of it was done")
				}
			})
		})
	}
}

// The statements of an apply find by themselves what a look before them missed.
func TestApplyLooksAgainItself(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		for name, change := range map[string]func(old, child, about thing){
			"a tag":    func(old, _, _ thing) { s.pushed(p, old.content, "keep") },
			"an index": func(_, child, _ thing) { s.index(p, []thing{child}, "other") },
			"a pull":   func(_, child, _ thing) { s.pull(p, child) },
			"a rule": func(_, _, _ thing) {
				s.exec(`UPDATE packages SET immutable_tags = '["v*"]'`)
			},
			"gone": func(old, _, _ thing) {
				s.exec(`UPDATE versions SET deleted_at = 7 WHERE digest = ?`, old.digest.String())
			},
			"the last": func(_, _, _ thing) {
				s.exec(`UPDATE tags SET until = 7 WHERE name = 'latest'`)
			},
		} {
			child := s.image(p, []string{"x"})
			old := s.index(p, []thing{child}, "v-"+oci.SHA256.FromBytes([]byte(name)).Hex()[:5])
			about := s.referrer(p, old)
			s.image(p, nil, "latest")
			s.days(10)
			plan := s.planned(`{"delete":[{"tags":["v*"],"older_than":"5d"}]}`)
			if plan.Versions != 3 {
				t.Fatalf("%s: planned %+v", name, plan)
			}
			s.now = s.now.Add(time.Second)
			change(old, child, about)
			before := s.dump()
			err := s.store.ApplyPlan(t.Context(), plan, lifecycle.Change{By: 1, Entry: audit.Entry{At: s.now, Actor: "ann", Action: "retention.apply"}})
			s.refused(err, errs.Conflict, "")
			if s.dump() != before {
				t.Errorf("%s: something of it was done", name)
			}
			s.exec(`UPDATE packages SET immutable_tags = ''`)
			s.exec(`DELETE FROM tags`)
			s.exec(`UPDATE versions SET deleted_at = 7`)
		}
	})
}

func TestUndoLeavesWhatIsTaken(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		old := s.image(p, []string{"x"}, "v1", "v1.0")
		s.image(p, nil, "latest")
		s.days(10)
		plan := s.planned(`{"delete":[{"tags":["v*"]}]}`)
		plan, err := s.Apply(t.Context(), s.ann, s.app, plan.ID)
		s.check(err)
		fresh := s.image(p, []string{"y"}, "v1")
		undo, err := s.UndoPlan(t.Context(), s.ann, s.app, plan.ID)
		s.check(err)
		if undo.Tags != 1 || len(undo.Taken) != 1 || undo.Taken[0] != "v1" || !s.present(p, old) {
			t.Errorf("undone %+v", undo)
		}
		ref, err := oci.ParseReference("v1")
		s.check(err)
		if v, err := s.registry.StatManifest(t.Context(), s.ann, p, ref); err != nil || v.Digest != fresh.digest {
			t.Errorf("v1 leads to %s, %v", v.Digest, err)
		}
	})
}

// A blob that nothing present needed may have been taken out of the package since.
func TestUndoBringsWhatWasTakenOutSince(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p, ctx := s.app.Package, t.Context()
		old := s.image(p, []string{"x", "y"}, "v1")
		s.image(p, nil, "latest")
		plan, err := s.Apply(ctx, s.ann, s.app, s.planned(`{"delete":[{"tags":["v*"]}]}`).ID)
		s.check(err)
		s.check(s.registry.DeleteBlob(ctx, s.ann, p, oci.SHA256.FromBytes([]byte("x"))))
		_, err = s.UndoPlan(ctx, s.ann, s.app, plan.ID)
		s.check(err)
		s.pullable(p, oci.Reference{Digest: old.digest})
	})
}

func TestUndoIsRefused(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		apply := func() lifecycle.Plan {
			s.image(p, []string{"x"}, "v1")
			s.image(p, nil, "latest")
			plan, err := s.Apply(t.Context(), s.ann, s.app, s.planned(`{"delete":[{"tags":["v*"]}]}`).ID)
			s.check(err)
			return plan
		}
		late := apply()
		s.now = s.now.Add(restoreWindow)
		_, err := s.UndoPlan(t.Context(), s.ann, s.app, late.ID)
		s.refused(err, errs.Conflict, "is over")
		purged := apply()
		s.exec(`DELETE FROM versions WHERE deleted_at IS NOT NULL`)
		_, err = s.UndoPlan(t.Context(), s.ann, s.app, purged.ID)
		s.refused(err, errs.Conflict, "gone for good")
	})
}

func TestWhoMayRetain(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		s.image(p, []string{"x"}, "v1")
		s.image(p, nil, "latest")
		rules := s.rules(`{"delete":[{"tags":["v*"]}]}`)
		plan := s.planned(`{"delete":[{"tags":["v*"]}]}`)
		ctx, own := t.Context(), lifecycle.Place{Owner: "ann"}
		careful := s.ann
		careful.Scopes = access.ReadPackages | access.WritePackages
		for _, at := range []lifecycle.Place{s.app, own} {
			kind := errs.NotFound
			if at.Owner != "" {
				kind = errs.Denied
			}
			s.refused(s.SetPolicy(ctx, s.bob, at, rules, false), kind, "")
			_, err := s.MakePlan(ctx, s.bob, at, &rules)
			s.refused(err, kind, "")
			s.check(s.SetPolicy(ctx, careful, at, rules, false))
			s.refused(s.SetPolicy(ctx, careful, at, rules, true), errs.Denied, "delete:packages")
		}
		_, err := s.Apply(ctx, s.bob, s.app, plan.ID)
		s.refused(err, errs.NotFound, "")
		_, err = s.Apply(ctx, careful, s.app, plan.ID)
		s.refused(err, errs.Denied, "delete:packages")
		// A plan of one place is none of another.
		_, err = s.Apply(ctx, s.ann, own, plan.ID)
		s.refused(err, errs.NotFound, "no plan")
		s.image(packageAt("ann/other"), nil, "a")
		_, err = s.Apply(ctx, s.ann, lifecycle.Place{Package: packageAt("ann/other")}, plan.ID)
		s.refused(err, errs.NotFound, "no plan")
		_, err = s.Apply(ctx, s.ann, s.app, plan.ID)
		s.check(err)
	})
}

func TestAPackagesPolicyGoesBeforeItsOwners(t *testing.T) {
	onShelves(t, func(s *shelf) {
		ctx, own, other := t.Context(), lifecycle.Place{Owner: "ann"}, packageAt("ann/other")
		for _, p := range []access.Package{s.app.Package, other} {
			s.image(p, []string{"x"}, "v1")
			s.image(p, []string{"y"}, "pr-1")
			s.image(p, nil, "latest")
		}
		s.check(s.SetPolicy(ctx, s.ann, own, s.rules(`{"delete":[{"tags":["v*"]}]}`), true))
		_, err := s.Policy(ctx, s.ann, s.app)
		s.refused(err, errs.NotFound, "")
		plan, err := s.MakePlan(ctx, s.ann, s.app, nil)
		s.check(err)
		if plan.Versions != 1 {
			t.Errorf("by the owner's policy: %+v", plan)
		}
		s.check(s.SetPolicy(ctx, s.ann, s.app, s.rules(`{"delete":[{"tags":["pr-*"]}]}`), true))
		d, err := s.RunDaily(ctx)
		s.check(err)
		if d.Policies != 2 || d.Versions != 2 || d.Failed != 0 {
			t.Errorf("daily %+v", d)
		}
		for p, want := range map[access.Package]string{s.app.Package: "latest v1", other: "latest pr-1"} {
			if got := s.tags(p); got != want {
				t.Errorf("%s has %q, want %q", p.Name, got, want)
			}
		}
		d, err = s.RunDaily(ctx)
		s.check(err)
		if d.Versions != 0 {
			t.Errorf("once more: %+v", d)
		}
		s.check(s.RemovePolicy(ctx, s.ann, s.app))
		s.refused(s.RemovePolicy(ctx, s.ann, s.app), errs.NotFound, "")
		d, err = s.RunDaily(ctx)
		s.check(err)
		if d.Versions != 1 {
			t.Errorf("by the owner's policy: %+v", d)
		}
		entries, err := s.store.AuditEntries(ctx, audit.Query{Limit: 2})
		s.check(err)
		if entries[0].Actor != audit.Server || entries[0].Action != "retention.apply" || entries[0].Target != "ann/app" || entries[1].Action != "version.delete" {
			t.Errorf("on record: %+v", entries)
		}
	})
}

func TestOldPlansAreForgotten(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		s.image(p, []string{"x"}, "v1")
		s.image(p, nil, "latest")
		unused := s.planned(`{"delete":[{"tags":["v*"]}]}`)
		used, err := s.Apply(t.Context(), s.ann, s.app, s.planned(`{"delete":[{"tags":["v*"]}]}`).ID)
		s.check(err)
		s.days(8)
		_, err = s.RunDaily(t.Context())
		s.check(err)
		_, err = s.Plan(t.Context(), s.ann, s.app, unused.ID)
		s.refused(err, errs.NotFound, "")
		_, err = s.Plan(t.Context(), s.ann, s.app, used.ID)
		s.check(err)
		s.days(500)
		_, err = s.RunDaily(t.Context())
		s.check(err)
		if list, err := s.ListPlans(t.Context(), s.ann, s.app, 0, 10); err != nil || len(list) != 0 {
			t.Errorf("after long: %v, %v", list, err)
		}
	})
}
