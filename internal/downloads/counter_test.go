package downloads_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/downloads"
	"packhouse/internal/oci"
)

// ledger is a Sink in memory.
type ledger struct {
	counts map[string]int64
	fail   error
}

func (l *ledger) AddDownloads(_ context.Context, counts []downloads.Count) error {
	if l.fail != nil {
		return l.fail
	}
	for _, c := range counts {
		l.counts[fmt.Sprintf("%d/%d/%s", c.PackageID, c.VersionID, c.Tag)] += c.N
	}
	return nil
}

// world is a counter, its ledger and a package of an index, its child and
// another image that shares a layer.
type world struct {
	t *testing.T
	*downloads.Counter
	ledger                  *ledger
	now                     time.Time
	index, child, other     downloads.Version
	indexText, text, second []byte
	config, layer, shared   oci.Digest
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, ledger: &ledger{counts: map[string]int64{}}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.Counter = downloads.New(w.ledger, func() time.Time { return w.now })
	digest := func(s string) oci.Digest { return oci.SHA256.FromBytes([]byte(s)) }
	w.config, w.layer, w.shared = digest("config"), digest("layer"), digest("shared")
	w.text = image(w.config, w.layer, w.shared)
	w.second = image(digest("config 2"), w.shared)
	w.child = downloads.Version{PackageID: 1, VersionID: 11, Digest: oci.SHA256.FromBytes(w.text)}
	w.other = downloads.Version{PackageID: 1, VersionID: 12, Digest: oci.SHA256.FromBytes(w.second)}
	w.indexText = fmt.Appendf(nil, `{"schemaVersion":2,"manifests":[{"mediaType":%q,"digest":%q,"size":1}]}`, oci.MediaTypeImageManifest, w.child.Digest)
	w.index = downloads.Version{PackageID: 1, VersionID: 10, Digest: oci.SHA256.FromBytes(w.indexText), Index: true}
	return w
}

func image(config oci.Digest, layers ...oci.Digest) []byte {
	list := make([]string, len(layers))
	for i, d := range layers {
		list[i] = fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":1}`, d)
	}
	return fmt.Appendf(nil, `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[%s]}`,
		config, strings.Join(list, ","))
}

func (w *world) flushed(want ...string) {
	w.t.Helper()
	if err := w.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for k, n := range w.ledger.counts {
		got = append(got, fmt.Sprintf("%s: %d", k, n))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Errorf("counted %q, want %q", got, want)
	}
}

func client(text string) downloads.Client {
	return downloads.Client{Principal: 7, Address: netip.MustParseAddr(text)}
}

func TestAPullCountsOnce(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.child, "latest", w.text)
	w.flushed() // a manifest alone is none
	w.Blob(me, 2, w.config)
	w.Blob(client("192.0.2.2"), 1, w.config)
	w.flushed() // another package's blob, another client's
	w.Blob(me, 1, w.config)
	w.Blob(me, 1, w.layer)
	w.flushed("1/11/latest: 1")
	w.now = w.now.Add(14 * time.Minute)
	w.Read(me, w.child, "v1", w.text)
	w.Blob(me, 1, w.layer)
	w.flushed("1/11/latest: 1")
	w.now = w.now.Add(2 * time.Minute)
	w.Read(me, w.child, "v1", w.text)
	w.Blob(me, 1, w.layer)
	w.flushed("1/11/latest: 1", "1/11/v1: 1")
	w.Read(client("192.0.2.2"), w.child, "v1", w.text)
	w.Blob(client("192.0.2.2"), 1, w.layer)
	w.flushed("1/11/latest: 1", "1/11/v1: 2")
}

func TestAVisitEnds(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.child, "latest", w.text)
	w.now = w.now.Add(time.Hour)
	w.Blob(me, 1, w.layer)
	w.flushed()
}

func TestAnIndexCountsWithItsChild(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.index, "latest", w.indexText)
	w.Read(me, w.child, "", w.text)
	w.flushed()
	w.Blob(me, 1, w.config)
	w.flushed("1/10/latest: 1", "1/11/*: 1")
}

// Engines ask by HEAD which digest a tag leads to, and then for that.
func TestTheTagOfAHeadIsCounted(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Looked(me, w.index, "latest")
	w.flushed()
	w.Read(me, w.index, "", w.indexText)
	w.Read(me, w.child, "", w.text)
	w.Blob(me, 1, w.config)
	w.flushed("1/10/latest: 1", "1/11/*: 1")
}

func TestADigestCountsUnderNoTag(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.child, "", w.text)
	w.Blob(me, 1, w.shared)
	w.flushed("1/11/: 1")
}

// A layer that two images share counts for the one that is pulled now.
func TestSharedLayersCountForTheLatest(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.child, "a", w.text)
	w.Read(me, w.other, "b", w.second)
	w.Blob(me, 1, w.shared)
	w.flushed("1/12/b: 1")
	w.Blob(me, 1, w.layer)
	w.flushed("1/11/a: 1", "1/12/b: 1")
}

func TestWhatNeedsNoBlobCountsAtOnce(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	empty := oci.SHA256.FromBytes([]byte("{}"))
	artifact := image(empty)
	w.Read(me, downloads.Version{PackageID: 1, VersionID: 3, Digest: oci.SHA256.FromBytes(artifact)}, "x", artifact)
	w.flushed("1/3/x: 1")
	w.Read(me, w.child, "x", image(empty, w.layer))
	w.flushed("1/3/x: 1")
}

func TestCountsSurviveADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	w, me := newWorld(t), client("192.0.2.1")
	w.Read(me, w.child, "latest", w.text)
	w.Blob(me, 1, w.config)
	w.ledger.fail = errors.New("away")
	if err := w.Flush(t.Context()); err == nil {
		t.Fatal("flushed to a ledger that fails")
	}
	w.Read(client("192.0.2.2"), w.child, "latest", w.text)
	w.Blob(client("192.0.2.2"), 1, w.config)
	w.ledger.fail = nil
	w.flushed("1/11/latest: 2")
	w.flushed("1/11/latest: 2")
}

// What is remembered of clients does not grow with their number.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var last downloads.Client
	for i := range 20_000 {
		last = client(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
		w.Read(last, w.child, "latest", w.text)
	}
	w.Blob(client("10.0.0.0"), 1, w.config)
	w.Blob(last, 1, w.config)
	w.flushed("1/11/latest: 1")
}

func BenchmarkAPull(b *testing.B) {
	w := &world{ledger: &ledger{counts: map[string]int64{}}}
	c := downloads.New(w.ledger, time.Now)
	config, layer := oci.SHA256.FromBytes([]byte("c")), oci.SHA256.FromBytes([]byte("l"))
	text := image(config, layer)
	v := downloads.Version{PackageID: 1, VersionID: 11, Digest: oci.SHA256.FromBytes(text)}
	me := client("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		c.Read(me, v, "latest", text)
		c.Blob(me, 1, config)
		c.Blob(me, 1, layer)
	}
}
