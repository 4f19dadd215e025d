package lifecycle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Rules say which versions of a package are no longer wanted: those that a rule
// of Delete chooses and none of Keep.
type Rules struct {
	Delete []Rule `json:"delete"`
	Keep   []Rule `json:"keep,omitempty"`
	// DeleteLast lets the last version with a tag go, too; without it each
	// package keeps its newest one.
	DeleteLast bool `json:"delete_last,omitempty"`
}

// Rule chooses versions by conditions of which all must hold. Where it names
// tags, a rule of Delete chooses a version if every tag of it is among them, and
// one of Keep if any is.
type Rule struct {
	// Tags are patterns, such as v* or pr-?.
	Tags []string `json:"tags,omitempty"`
	// Semver is a range of versions as tags name them, with or without a v
	// before: ">=1.2 <3". It leaves out pre-releases unless it names one.
	Semver string `json:"semver,omitempty"`
	// Untagged chooses versions without a tag.
	Untagged bool `json:"untagged,omitempty"`
	// Kinds are those of oci.Kind, such as cache for those of BuildKit.
	Kinds []oci.Kind `json:"kinds,omitempty"`
	// Expired chooses what its label expires-after says is over.
	Expired bool `json:"expired,omitempty"`
	// OlderThan is a time such as 30d since the version was pushed or a tag
	// last came to it or left it, and NotPulledFor since it was pulled, too.
	OlderThan    string `json:"older_than,omitempty"`
	NotPulledFor string `json:"not_pulled_for,omitempty"`

	// What follows is for rules of Keep alone.

	// YoungerThan and PulledWithin are the opposites of the two above.
	YoungerThan  string `json:"younger_than,omitempty"`
	PulledWithin string `json:"pulled_within,omitempty"`
	// Last keeps as many of the chosen, the newest, by Semver if that is set.
	Last int `json:"last,omitempty"`
	// LastPerMinor keeps as many of each minor release: of 1.2.*, of 1.3.*.
	LastPerMinor int `json:"last_per_minor,omitempty"`
}

// Limits of what a policy may hold.
const (
	maxRules     = 50
	maxRuleTags  = 100
	maxRulesJSON = 64 << 10
)

// ParseRules reads rules from JSON and checks them. A member that it does not
// know is refused: a condition that was not understood would delete too much.
func ParseRules(text []byte) (Rules, error) {
	var r Rules
	if len(text) > maxRulesJSON {
		return r, errs.New(errs.TooLarge, "the rules are longer than %d bytes", maxRulesJSON)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&r)
	if err == nil && !errors.Is(d.Decode(&struct{}{}), io.EOF) {
		err = errors.New("something stands behind them")
	}
	if err != nil {
		return r, errs.Wrap(errs.Invalid, err, "the rules cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	_, err = r.compile()
	return r, err
}

// compiledRules are Rules made ready.
type compiledRules struct {
	remove, keep []compiledRule
	deleteLast   bool
}

type compiledRule struct {
	Rule
	text                                               string // for people
	patterns                                           []oci.TagPattern
	versions                                           *semver.Constraints
	olderThan, notPulledFor, youngerThan, pulledWithin time.Duration
}

func (r Rules) compile() (c compiledRules, err error) {
	if len(r.Delete) == 0 {
		return c, errs.New(errs.Invalid, "the rules delete nothing: delete needs a rule")
	}
	if len(r.Delete)+len(r.Keep) > maxRules {
		return c, errs.New(errs.Invalid, "there may be %d rules at most", maxRules)
	}
	c.deleteLast = r.DeleteLast
	for i, rule := range r.Delete {
		if rule.YoungerThan != "" || rule.PulledWithin != "" || rule.Last != 0 || rule.LastPerMinor != 0 {
			return c, errs.New(errs.Invalid, "delete[%d]: younger_than, pulled_within, last and last_per_minor are for keep", i)
		}
		one, err := rule.compile()
		if err != nil {
			return c, errs.Wrap(errs.Invalid, err, "delete[%d]: %s", i, publicText(err))
		}
		c.remove = append(c.remove, one)
	}
	for i, rule := range r.Keep {
		one, err := rule.compile()
		if err != nil {
			return c, errs.Wrap(errs.Invalid, err, "keep[%d]: %s", i, publicText(err))
		}
		c.keep = append(c.keep, one)
	}
	return c, nil
}

func publicText(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Public
	}
	return err.Error()
}

func (r Rule) compile() (c compiledRule, err error) {
	c = compiledRule{Rule: r}
	if err := r.check(); err != nil {
		return c, err
	}
	for _, text := range r.Tags {
		p, err := oci.ParseTagPattern(text)
		if err != nil {
			return c, err
		}
		c.patterns = append(c.patterns, p)
	}
	if r.Semver != "" {
		if c.versions, err = semver.NewConstraint(r.Semver); err != nil {
			return c, errs.New(errs.Invalid, "%q is no range of versions, such as >=1.2 <3", r.Semver)
		}
	}
	for _, age := range []struct {
		text string
		into *time.Duration
	}{{r.OlderThan, &c.olderThan}, {r.NotPulledFor, &c.notPulledFor}, {r.YoungerThan, &c.youngerThan}, {r.PulledWithin, &c.pulledWithin}} {
		if age.text == "" {
			continue
		}
		if *age.into, err = oci.ParseAge(age.text); err != nil {
			return c, err
		}
	}
	c.text = r.describe()
	return c, nil
}

// check refuses what has no meaning, above all a rule without a condition.
func (r Rule) check() error {
	named := len(r.Tags) > 0 || r.Semver != ""
	switch {
	case r.describe() == "":
		return errs.New(errs.Invalid, "a rule needs a condition; tags [\"*\"] chooses all that have a tag")
	case r.Untagged && (named || r.LastPerMinor > 0):
		return errs.New(errs.Invalid, "untagged goes with neither tags nor semver")
	case len(r.Tags) > maxRuleTags:
		return errs.New(errs.Invalid, "a rule may have %d patterns at most", maxRuleTags)
	case r.Last < 0 || r.LastPerMinor < 0:
		return errs.New(errs.Invalid, "last and last_per_minor are above zero")
	case r.Last > 0 && r.LastPerMinor > 0:
		return errs.New(errs.Invalid, "last and last_per_minor are two rules")
	}
	known := []oci.Kind{
		oci.KindImage, oci.KindIndex, oci.KindArtifact, oci.KindSignature, oci.KindAttestation, oci.KindSBOM, oci.KindCache,
	}
	for _, k := range r.Kinds {
		if !slices.Contains(known, k) {
			return errs.New(errs.Invalid, "there is no kind %q; there are %v", k, known)
		}
	}
	return nil
}

// describe says in words what the rule chooses; "" without a condition.
func (r Rule) describe() string {
	var parts []string
	say := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(r.Untagged, "untagged")
	say(len(r.Tags) > 0, "tagged %s", strings.Join(r.Tags, " or "))
	say(r.Semver != "", "version %s", r.Semver)
	say(len(r.Kinds) > 0, "kind %v", strings.Trim(fmt.Sprint(r.Kinds), "[]"))
	say(r.Expired, "expired")
	say(r.OlderThan != "", "older than %s", r.OlderThan)
	say(r.NotPulledFor != "", "not pulled for %s", r.NotPulledFor)
	say(r.YoungerThan != "", "younger than %s", r.YoungerThan)
	say(r.PulledWithin != "", "pulled within %s", r.PulledWithin)
	say(r.Last != 0, "last %d", r.Last)
	say(r.LastPerMinor != 0, "last %d of each minor release", r.LastPerMinor)
	return strings.Join(parts, ", ")
}

// String says in words what the rule chooses, as the reasons of items do.
func (r Rule) String() string { return r.describe() }
