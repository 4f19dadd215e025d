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

// TestHalves looks at a push of a manifest with two tags that got no answer.
func TestHalves(t *testing.T) {
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
			if got := o.halves(tc.seen); len(got) != tc.want {
				t.Errorf("halves = %q, want %d", strings.Join(got, "\n"), tc.want)
			}
		})
	}
}
