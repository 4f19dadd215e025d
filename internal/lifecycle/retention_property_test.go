package lifecycle_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

func packagePatterns(texts ...string) ([]oci.TagPattern, error) {
	return packages.ParseTagPatterns(texts)
}

// tags lists the package's tags.
func (s *shelf) tags(p access.Package) string {
	s.t.Helper()
	list, err := s.registry.Tags(s.t.Context(), s.ann, p, "", 1000)
	s.check(err)
	return strings.Join(list.Names, " ")
}

var somePolicies = []string{
	`{"delete":[{"untagged":true}]}`,
	`{"delete":[{"older_than":"3d"}]}`,
	`{"delete":[{"tags":["v*"]},{"untagged":true}],"keep":[{"tags":["v*"],"last":1}]}`,
	`{"delete":[{"tags":["*"]},{"untagged":true}],"delete_last":true}`,
	`{"delete":[{"not_pulled_for":"2d"}],"keep":[{"younger_than":"1d"}]}`,
	`{"delete":[{"tags":["pr*"],"older_than":"1d"},{"kinds":["index"]}]}`,
}

// fill puts anything into the package.
func (s *shelf) fill(r *rapid.T, p access.Package) {
	var all []thing
	tags := func() []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"v1", "v2", "latest", "pr1", "pr2"}), 0, 2, rapid.ID[string]).Draw(r, "tags")
	}
	for range rapid.IntRange(3, 14).Draw(r, "steps") {
		some := func() thing { return rapid.SampledFrom(all).Draw(r, "one") }
		what := rapid.IntRange(0, 7).Draw(r, "what")
		if len(all) == 0 {
			what = 0
		}
		switch what {
		case 0, 1:
			layer := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "layer")
			all = append(all, s.image(p, []string{"base", layer}, tags()...))
		case 2, 3:
			children := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, func(m thing) oci.Digest { return m.digest })
			if m, err := s.push(p, indexText(s.count, children.Draw(r, "children")...), tags()...); err == nil { // else one is deleted
				all, s.count = append(all, m), s.count+1
			}
		case 4:
			all = append(all, s.referrer(p, some()))
		case 5:
			all = append(all, s.image(p, nil, "sha256-"+some().digest.Hex()+".sig"))
		case 6:
			if m := some(); s.present(p, m) {
				s.pull(p, m)
			}
		case 7:
			s.days(1)
		}
	}
}

func TestWhatIsKeptIsWholeAndUndoRestoresAll(t *testing.T) {
	onShelves(t, func(s *shelf) {
		n := 0
		rapid.Check(t, func(r *rapid.T) {
			n++
			p := packageAt(fmt.Sprintf("ann/p%d", n))
			at := lifecycle.Place{Package: p}
			s.fill(r, p)
			if rapid.Bool().Draw(r, "immutable") {
				list, err := packagePatterns("v1")
				s.check(err)
				s.check(s.packages.SetImmutableTags(t.Context(), s.ann, p, list))
			}
			rules := s.rules(rapid.SampledFrom(somePolicies).Draw(r, "policy"))
			before, tags := s.dump(), s.tags(p)
			plan, err := s.MakePlan(t.Context(), s.ann, at, &rules)
			s.check(err)
			_, err = s.Apply(t.Context(), s.ann, at, plan.ID)
			s.check(err)
			for _, name := range strings.Fields(s.tags(p)) {
				ref, err := oci.ParseReference(name)
				s.check(err)
				s.pullable(p, ref)
			}
			s.nothingLost(plan)
			if strings.Contains(" "+tags+" ", " v1 ") && !strings.Contains(" "+s.tags(p)+" ", " v1 ") {
				if own, _, err := s.packages.ImmutableTags(t.Context(), s.ann, p); err != nil || len(own) > 0 {
					r.Fatalf("the immutable v1 went, %v", err)
				}
			}
			_, err = s.UndoPlan(t.Context(), s.ann, at, plan.ID)
			s.check(err)
			if after := s.dump(); after != before {
				r.Fatalf("after undo:\n%s\nbefore:\n%s", after, before)
			}
		})
	})
}

// nothingLost checks that no version went that a present one needs.
func (s *shelf) nothingLost(plan lifecycle.Plan) {
	s.t.Helper()
	for what, query := range map[string]string{
		"parts of an index": `SELECT COUNT(*) FROM retention_items i JOIN edges e ON e.child = i.digest AND e.kind = 'manifest'
			JOIN versions n ON n.package_id = i.package_id AND n.digest = e.parent AND n.deleted_at IS NULL WHERE i.plan_id = ?`,
		"referrers": `SELECT COUNT(*) FROM retention_items i JOIN versions v ON v.id = i.version_id
			JOIN versions n ON n.package_id = v.package_id AND n.digest = v.subject AND n.deleted_at IS NULL WHERE i.plan_id = ?`,
		"what is still there": `SELECT COUNT(*) FROM retention_items i JOIN versions v ON v.id = i.version_id AND v.deleted_at IS NULL WHERE i.plan_id = ?`,
	} {
		var n int
		s.check(s.db.Read().QueryRow(s.t.Context(), query, plan.ID).Scan(&n))
		if n != 0 {
			s.t.Fatalf("%d of %s are in the plan", n, what)
		}
	}
}

// Pushes and a plan at the same time: whichever is first, no tag is left without
// what it leads to.
func TestPlansAndPushesAtOnce(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		for round := range 8 {
			child := s.image(p, []string{"x"})
			old := s.index(p, []thing{child}, fmt.Sprintf("v%d", round))
			s.image(p, nil, "latest")
			s.days(2)
			plan := s.planned(`{"delete":[{"tags":["v*"],"older_than":"1d"}]}`)
			index := indexText(1000+round, child)
			var pushes sync.WaitGroup
			// What comes too late for its parts is refused.
			pushes.Go(func() { _, _ = s.push(p, old.content, "again") })
			pushes.Go(func() { _, _ = s.push(p, index, "more") })
			_, err := s.Apply(t.Context(), s.ann, s.app, plan.ID)
			pushes.Wait()
			if err != nil && !errs.Is(err, errs.Conflict) {
				t.Fatal(err)
			}
			for _, name := range strings.Fields(s.tags(p)) {
				ref, err := oci.ParseReference(name)
				s.check(err)
				s.pullable(p, ref)
			}
		}
	})
}
