package crash

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// kind is what sort of thing a key names.
type kind string

const (
	blobKind     kind = "blob"
	manifestKind kind = "manifest"
	tagKind      kind = "tag"
)

// key is one thing that a client can see in a package: a blob or a manifest by
// digest, or a tag. Its value is the digest that a tag points at, or present;
// absent when it is not there.
type key struct {
	kind    kind
	pkg     string
	content string // digest, or name of the tag
}

const (
	present = "present"
	absent  = ""
)

func (k key) String() string { return fmt.Sprintf("%s %s of %s", k.kind, k.content, k.pkg) }

func compareKeys(a, b key) int {
	return strings.Compare(a.pkg+"\x00"+string(a.kind)+"\x00"+a.content, b.pkg+"\x00"+string(b.kind)+"\x00"+b.content)
}

// outcome is what a client knows of its request.
type outcome int

const (
	pending outcome = iota // no answer: it may take effect, now or later
	acked                  // the server said that it is done
	refused                // the server said that it is not
)

// change is one request that writes: all of its values, or none of them.
type change struct {
	name    string
	values  map[key]string
	alone   bool // nobody else writes to these keys meanwhile
	outcome outcome
	begun   int64
	ended   int64 // when acked
}

// oracle knows what was asked for and what was answered since the last check,
// and so what a registry may show that has lost nothing. Safe for concurrent
// use.
type oracle struct {
	mu      sync.Mutex
	clock   int64
	settled map[key]string // as last checked
	changes map[key][]*change
	all     []*change
	dark    int64 // when the power began to go; 0 before
	gone    int64 // when it was gone; 0 before
	lies    []string
	heard   chan struct{} // holds something when a request was acknowledged
}

func newOracle() *oracle {
	return &oracle{settled: map[key]string{}, changes: map[key][]*change{}, heard: make(chan struct{}, 1)}
}

// begin tells of a request before it is sent.
func (o *oracle) begin(c *change) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	c.begun = o.clock
	o.all = append(o.all, c)
	for k := range c.values {
		o.changes[k] = append(o.changes[k], c)
	}
}

// end tells of its answer. A request that got none is not ended.
//
// What is acknowledged after the power began to go counts as unanswered: with
// the real thing nobody would have heard it, and here it may rest on an fsync
// that was under way. ext4 lets that one succeed although it drops what it was
// for, as a loop of nothing but fdatasync shows. A request that was begun when
// the disk was gone had nothing to rest on at all.
func (o *oracle) end(c *change, as outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	if as == acked && o.dark > 0 {
		if o.gone > 0 && c.begun > o.gone {
			o.lies = append(o.lies, c.name+" was begun and acknowledged while the disk was gone")
		}
		return
	}
	c.ended, c.outcome = o.clock, as
	if as == acked {
		select {
		case o.heard <- struct{}{}:
		default:
		}
	}
}

// awaitAck returns as soon as a request is acknowledged that was not when it
// was called, or after a while without one.
func (o *oracle) awaitAck() {
	select {
	case <-o.heard: // an earlier one
	default:
	}
	select {
	case <-o.heard:
	case <-time.After(time.Second):
	}
}

// cutPower calls cut, which takes the power.
func (o *oracle) cutPower(cut func() error) error {
	o.tick(&o.dark)
	err := cut()
	o.tick(&o.gone)
	return err
}

func (o *oracle) tick(moment *int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	*moment = o.clock
}

// possible returns the values that k may have: that of every change that no
// acknowledged one came entirely after, and the value before all of them if
// none was acknowledged.
func (o *oracle) possible(k key) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	latest := int64(-1) // beginning of the last change that was acknowledged
	for _, c := range o.changes[k] {
		if c.outcome == acked {
			latest = max(latest, c.begun)
		}
	}
	values := map[string]bool{}
	if latest < 0 {
		values[o.settled[k]] = true
	}
	for _, c := range o.changes[k] {
		if c.outcome == pending || c.outcome == acked && c.ended >= latest {
			values[c.values[k]] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}

// keys returns every key ever written to, in order.
func (o *oracle) keys() []key {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := maps.Clone(o.settled)
	for k := range o.changes {
		all[k] = ""
	}
	return slices.SortedFunc(maps.Keys(all), compareKeys)
}

// counts returns how many requests were acknowledged and how many had no
// answer since the last check.
func (o *oracle) counts() (ackedCount, openCount int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range o.all {
		switch c.outcome {
		case acked:
			ackedCount++
		case pending:
			openCount++
		}
	}
	return ackedCount, openCount
}

// wrongs returns the requests without an answer that took effect in part, and
// those with one that nothing can stand behind.
func (o *oracle) wrongs(seen map[key]string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	found := slices.Clone(o.lies)
	for _, c := range o.all {
		if c.outcome != pending || !c.alone {
			continue
		}
		done, undone := 0, 0
		for k, value := range c.values {
			before, known := o.before(k, c)
			switch {
			case !known || before == value: // tells nothing
			case seen[k] == value:
				done++
			default:
				undone++
			}
		}
		if done > 0 && undone > 0 {
			found = append(found, fmt.Sprintf("%s took effect in part: %d values of %d", c.name, done, done+undone))
		}
	}
	return found
}

// before returns the value of k before c, whose keys nobody else wrote to at
// that time; it is not known when another request for k has no answer either.
func (o *oracle) before(k key, c *change) (value string, known bool) {
	value, known = o.settled[k], true
	for _, other := range o.changes[k] {
		switch {
		case other == c:
		case other.outcome == acked:
			value = other.values[k]
		case other.outcome == pending:
			known = false
		}
	}
	return value, known
}

// settle takes what a check saw for the truth from now on.
func (o *oracle) settle(seen map[key]string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settled, o.changes, o.all = maps.Clone(seen), map[key][]*change{}, nil
	o.dark, o.gone, o.lies = 0, 0, nil
}

// history describes what was asked of k since the last check.
func (o *oracle) history(k key) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := fmt.Sprintf("power cut at %d; before %q", o.dark, o.settled[k])
	for _, c := range o.changes[k] {
		text += fmt.Sprintf("; %s to %q %s [%d,%d]", c.name, c.values[k],
			map[outcome]string{pending: "without an answer", acked: "acknowledged", refused: "refused"}[c.outcome], c.begun, c.ended)
	}
	return text
}
