package registry

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMergedPagesLoseNothing walks two lists by pages of random lengths, of which
// some are short or empty and not the last, and must meet each name once.
func TestMergedPagesLoseNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	all := []string{"a/b", "a/b/c", "a/c", "a-b/a", "a0/z", "b/a", "b/b", "b/c", "c/a", "c/b/d", "d/a"}
	slices.SortFunc(all, byOwner)
	for range 3000 {
		var lists [2][]string
		var want []string
		for _, name := range all {
			in := random.IntN(4)
			for i := range lists {
				if in&(i+1) != 0 {
					lists[i] = append(lists[i], name)
				}
			}
			if in != 0 {
				want = append(want, name)
			}
		}
		n := 1 + random.IntN(4)
		var got []string
		last := ""
		for {
			p := merge(piece(lists[0], last, n, random), piece(lists[1], last, n, random), n)
			got = append(got, p.Names...)
			if len(p.Names) > n {
				t.Fatalf("%d names in a page of %d", len(p.Names), n)
			}
			if last = p.Next; last == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v and %v by %d: got %v", lists[0], lists[1], n, got)
		}
	}
}

// piece is a page as Listings.Catalog returns it: some of the names it looks at
// may not be read, and it ends after few of them.
func piece(list []string, last string, n int, random *rand.Rand) Page {
	var p Page
	for i, name := range list {
		if last != "" && byOwner(name, last) <= 0 {
			continue
		}
		if len(p.Names) == n || i+1 < len(list) && random.IntN(5) == 0 && p.Names != nil {
			p.Next = p.Names[len(p.Names)-1]
			return p
		}
		p.Names = append(p.Names, name)
	}
	return p
}
