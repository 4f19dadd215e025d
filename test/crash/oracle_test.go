package crash

import (
	"slices"
	"strings"
	"testing"
)

// TestPossible goes through the outcomes of requests for one tag.
func TestPossible(t *testing.T) {
	t.Parallel()
	tag := key{tagKind, "p", "latest"}
	set := func(value string) *change {
		return &change{name: "push", values: map[key]string{tag: value}, alone: true}
	}
	for name, tc := range map[string]struct {
		do   func(o *oracle)
		want []string
	}{
		"nothing asked": {func(*oracle) {}, []string{"old"}},
		"acknowledged": {func(o *oracle) {
			a := set("a")
			o.begin(a)
			o.end(a, acked)
		}, []string{"a"}},
		"no answer": {func(o *oracle) { o.begin(set("a")) }, []string{"a", "old"}},
		"refused": {func(o *oracle) {
			a := set("a")
			o.begin(a)
			o.end(a, refused)
		}, []string{"old"}},
		"one after the other": {func(o *oracle) {
			for _, value := range []string{"a", "b"} {
				c := set(value)
				o.begin(c)
				o.end(c, acked)
			}
		}, []string{"b"}},
		"at the same time": {func(o *oracle) {
			a, b := set("a"), set("b")
			o.begin(a)
			o.begin(b)
			o.end(a, acked)
			o.end(b, acked)
		}, []string{"a", "b"}},
		"acknowledged during one without an answer": {func(o *oracle) {
			a, b := set("a"), set("b")
			o.begin(a)
			o.begin(b)
			o.end(b, acked)
		}, []string{"a", "b"}},
		"deleted, then no answer": {func(o *oracle) {
			gone := set(absent)
			o.begin(gone)
			o.end(gone, acked)
			o.begin(set("a"))
		}, []string{"", "a"}},
		"acknowledged when the power was going": {func(o *oracle) {
			a, b := set("a"), set("b")
			o.begin(a)
			o.end(a, acked)
			o.begin(b)
			_ = o.cutPower(func() error { o.end(b, acked); return nil })
		}, []string{"a", "b"}},
		"settled since": {func(o *oracle) {
			o.begin(set("a"))
			o.settle(map[key]string{tag: "a"})
		}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOracle()
			o.settle(map[key]string{tag: "old"})
			tc.do(o)
			if got := o.possible(tag); !slices.Equal(got, tc.want) {
				t.Errorf("possible = %q, want %q; %s", got, tc.want, o.history(tag))
			}
		})
	}
}

// TestWrongs looks at a push of a manifest with two tags that got no answer.
func TestWrongs(t *testing.T) {
	t.Parallel()
	m, a, b := key{manifestKind, "p", "sha256:1"}, key{tagKind, "p", "a"}, key{tagKind, "p", "b"}
	for name, tc := range map[string]struct {
		seen map[key]string
		want int
	}{
		"none of it":               {map[key]string{m: absent, a: "old", b: absent}, 0},
		"all of it":                {map[key]string{m: present, a: "sha256:1", b: "sha256:1"}, 0},
		"the manifest and one tag": {map[key]string{m: present, a: "sha256:1", b: absent}, 1},
		"a tag alone":              {map[key]string{m: absent, a: "sha256:1", b: absent}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOracle()
			o.settle(map[key]string{a: "old"})
			o.begin(&change{name: "push", alone: true, values: map[key]string{m: present, a: "sha256:1", b: "sha256:1"}})
			if got := o.wrongs(tc.seen); len(got) != tc.want {
				t.Errorf("wrongs = %q, want %d", strings.Join(got, "\n"), tc.want)
			}
		})
	}
}

// TestOverwritten: a tag of a push without an answer may be another push's by
// now, which has none either.
func TestOverwritten(t *testing.T) {
	t.Parallel()
	m, tag := key{manifestKind, "p", "sha256:1"}, key{tagKind, "p", "a"}
	o := newOracle()
	o.begin(&change{name: "first", alone: true, values: map[key]string{m: present, tag: "sha256:1"}})
	o.begin(&change{name: "second", alone: true, values: map[key]string{tag: "sha256:2"}})
	if got := o.wrongs(map[key]string{m: present, tag: "sha256:2"}); len(got) != 0 {
		t.Errorf("wrongs = %q", got)
	}
}

// TestAcknowledgedWithoutADisk: who begins when the disk is gone can only fail.
func TestAcknowledgedWithoutADisk(t *testing.T) {
	t.Parallel()
	o := newOracle()
	early, late := &change{name: "early"}, &change{name: "late"}
	o.begin(early)
	if err := o.cutPower(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	o.begin(late)
	o.end(early, acked)
	o.end(late, acked)
	got := o.wrongs(nil)
	if len(got) != 1 || !strings.HasPrefix(got[0], "late ") {
		t.Errorf("wrongs = %q, want the late one", got)
	}
	o.settle(nil)
	if got := o.wrongs(nil); len(got) != 0 {
		t.Errorf("wrongs after a check = %q", got)
	}
}
