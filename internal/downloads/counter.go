package downloads

import (
	"bytes"
	"context"
	"encoding/hex"
	"net/netip"
	"slices"
	"sync"
	"time"

	"packhouse/internal/oci"
)

// Client is whom a pull is counted for.
type Client struct {
	// Principal is access.Principal.ID; zero for nobody.
	Principal int64
	Address   netip.Addr
}

// Version is a version of a package that somebody reads.
type Version struct {
	PackageID, VersionID int64
	Digest               oci.Digest
	// Index is set for one whose parts are manifests.
	Index bool
}

// Sink keeps counts.
type Sink interface {
	// AddDownloads adds all of the counts, or none. What they are about may be
	// gone.
	AddDownloads(ctx context.Context, counts []Count) error
}

// Count is how often one version was pulled under one tag on one day.
type Count struct {
	PackageID, VersionID int64
	// Tag is "" for what was asked for by its digest and PartOfIndex for what
	// was pulled with the index that holds it.
	Tag  string
	Day  int64 // since 1970, in UTC
	N    int64
	Last time.Time
}

// PartOfIndex stands for the tag of what was pulled with an index, and is not
// counted for the package once more.
const PartOfIndex = "*"

const (
	// window is how long a client's pull of one version counts once.
	window = 15 * time.Minute
	// maxVisits and maxCounted bound what is remembered of clients, for up to
	// twice that many; with more of them some pulls count twice, or not.
	maxVisits, maxCounted = 4096, 32768
	// maxPending bounds the counts that wait while nothing can be written.
	maxPending = 100_000
)

// Counter counts. Safe for concurrent use; its methods for readers take about a
// microsecond and wait for nothing.
type Counter struct {
	sink Sink
	now  func() time.Time

	mu      sync.Mutex
	visits  *generations[visitKey, *visit]
	counted *generations[countedKey, time.Time]
	pending map[pendingKey]tally
}

type visitKey struct {
	client Client
	pkg    int64
}

type countedKey struct {
	visitKey
	version int64
}

type pendingKey struct {
	pkg, version int64
	tag          string
	day          int64
}

type tally struct {
	n    int64
	last time.Time
}

// New returns a Counter that Flush writes to sink.
func New(sink Sink, now func() time.Time) *Counter {
	return &Counter{
		sink: sink, now: now, pending: map[pendingKey]tally{},
		visits:  newGenerations[visitKey, *visit](maxVisits, window),
		counted: newGenerations[countedKey, time.Time](maxCounted, window),
	}
}

// Looked notes that the client learned, by a HEAD, which digest a tag leads to:
// engines ask for that digest then.
func (c *Counter) Looked(by Client, v Version, tag string) {
	if tag == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visit(visitKey{by, v.PackageID}).look(v.Digest, tag)
}

// Read notes that the client was given a manifest, under the tag that it asked
// for or "". Content is not kept. What needs no blob is counted at once.
func (c *Counter) Read(by Client, v Version, tag string, content []byte) {
	r := read{Version: v, tag: tag, parts: partsOf(content)}
	complete := !v.Index && needsNothing(r.parts, content)
	key := visitKey{by, v.PackageID}
	c.mu.Lock()
	defer c.mu.Unlock()
	visit := c.visit(key)
	if tag == "" {
		r.tag = visit.tagOf(v.Digest)
	}
	visit.add(r)
	if complete {
		c.pull(key, visit, r)
	}
}

// Blob notes that the client was given a blob of the package.
func (c *Counter) Blob(by Client, packageID int64, d oci.Digest) {
	key := visitKey{by, packageID}
	c.mu.Lock()
	defer c.mu.Unlock()
	visit, ok := c.visits.get(key, c.now())
	if !ok {
		return
	}
	if r, found := visit.holder(short(d.Hex()), false); found {
		c.pull(key, visit, r)
	}
}

// pull counts what was read, and the indexes that led to it.
func (c *Counter) pull(key visitKey, visit *visit, r read) {
	for range maxDepth {
		part, found := visit.holder(short(r.Digest.Hex()), true)
		if !found || r.tag != "" {
			break
		}
		r.tag = PartOfIndex
		c.count(key, r)
		r = part
	}
	c.count(key, r)
}

// maxDepth is how many indexes, one in the other, a pull counts for.
const maxDepth = 3

func (c *Counter) count(key visitKey, r read) {
	now := c.now()
	once := countedKey{key, r.VersionID}
	if at, ok := c.counted.get(once, now); ok && now.Sub(at) < window {
		return
	}
	c.counted.put(once, now, now)
	at := pendingKey{r.PackageID, r.VersionID, r.tag, now.Unix() / (24 * 60 * 60)}
	t, known := c.pending[at]
	if !known && len(c.pending) >= maxPending {
		return
	}
	c.pending[at] = tally{t.n + 1, now}
}

func (c *Counter) visit(key visitKey) *visit {
	now := c.now()
	v, ok := c.visits.get(key, now)
	if !ok {
		v = &visit{}
		c.visits.put(key, v, now)
	}
	return v
}

// Flush writes what was counted since the last one. What cannot be written now
// is kept for the next.
func (c *Counter) Flush(ctx context.Context) error {
	c.mu.Lock()
	taken := c.pending
	c.pending = map[pendingKey]tally{}
	c.mu.Unlock()
	if len(taken) == 0 {
		return nil
	}
	counts := make([]Count, 0, len(taken))
	for k, t := range taken {
		counts = append(counts, Count{PackageID: k.pkg, VersionID: k.version, Tag: k.tag, Day: k.day, N: t.n, Last: t.last})
	}
	slices.SortFunc(counts, compare)
	for batch := range slices.Chunk(counts, batchSize) {
		if err := c.sink.AddDownloads(ctx, batch); err != nil {
			c.putBack(taken)
			return err
		}
		for _, n := range batch {
			delete(taken, pendingKey{n.PackageID, n.VersionID, n.Tag, n.Day})
		}
	}
	return nil
}

// batchSize is how many counts one transaction takes.
const batchSize = 500

func (c *Counter) putBack(taken map[pendingKey]tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, t := range taken {
		was := c.pending[k]
		if was.last.After(t.last) {
			t.last = was.last
		}
		c.pending[k] = tally{was.n + t.n, t.last}
	}
}

// partsOf finds the digests that a manifest names, the first maxParts of them,
// without reading it as JSON: most manifests that are read are read again.
func partsOf(content []byte) (parts []uint64) {
	const prefix, algorithm = "sha", len("sha256:")
	for len(parts) < maxParts {
		i := bytes.Index(content, []byte(prefix))
		if i < 0 {
			break
		}
		rest := content[i:]
		content = rest[len(prefix):]
		if len(rest) < algorithm+shortHex || string(rest[:algorithm]) != "sha256:" && string(rest[:algorithm]) != "sha512:" {
			continue
		}
		if n := short(string(rest[algorithm : algorithm+shortHex])); n != 0 {
			parts = append(parts, n)
		}
	}
	return parts
}

const maxParts, shortHex = 256, 16

// short is the first 64 bits of a digest: enough to tell apart the parts of a few
// manifests, for counting.
func short(sum string) (n uint64) {
	if len(sum) < shortHex {
		return 0
	}
	b, err := hex.DecodeString(sum[:shortHex])
	if err != nil {
		return 0
	}
	for _, one := range b {
		n = n<<8 | uint64(one)
	}
	return n
}

// emptyConfig begins the digest of {}, the config of artifacts that have none.
const emptyConfig = 0x44136fa355b3678a

// needsNothing reports whether a client that has the manifest has all: an
// artifact whose only blob, if any, is the empty one.
func needsNothing(parts []uint64, content []byte) bool {
	if len(parts) == 0 {
		return true
	}
	if !slices.Contains(parts, emptyConfig) {
		return false
	}
	m, err := oci.ParseManifest("", content)
	if err != nil || m.IsIndex() {
		return false
	}
	for _, part := range m.Parts() {
		if short(part.Digest.Hex()) != emptyConfig {
			return false
		}
	}
	return true
}
