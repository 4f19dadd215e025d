package retention

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// maxRules is how many rules of a form are read; a policy has fewer.
const maxRules = 100

// ruleForm is the fields of one rule. Their names begin with Field and a dot.
type ruleForm struct {
	Field string // delete.0 or keep.0
	Keep  bool
	// Number is the rule's among those of its kind, from one; Index from zero.
	Number, Index     int
	Tags, Semver      string
	Untagged, Expired bool
	Kinds             []kind
	Older, NotPulled  age
	Younger, Pulled   age
	Last, PerMinor    string
	// More is set when one of the fields is set that are not shown at first.
	More bool
}

type kind struct {
	Name string
	On   bool
}

// age is a time such as 30d in two fields.
type age struct{ Name, Count, Unit string }

func allKinds() []oci.Kind {
	return []oci.Kind{
		oci.KindImage, oci.KindIndex, oci.KindArtifact, oci.KindSignature, oci.KindAttestation, oci.KindSBOM, oci.KindCache,
	}
}

// formOf is the fields of a rule.
func formOf(r lifecycle.Rule, keep bool, index int) ruleForm {
	list := "delete"
	if keep {
		list = "keep"
	}
	f := ruleForm{
		Field: fmt.Sprintf("%s.%d", list, index), Keep: keep, Number: index + 1, Index: index,
		Tags: strings.Join(r.Tags, " "), Semver: r.Semver, Untagged: r.Untagged, Expired: r.Expired, Last: digits(r.Last), PerMinor: digits(r.LastPerMinor),
	}
	for _, k := range allKinds() {
		f.Kinds = append(f.Kinds, kind{string(k), slices.Contains(r.Kinds, k)})
	}
	f.Older, f.NotPulled = ageOf(f.Field+".older", r.OlderThan), ageOf(f.Field+".not-pulled", r.NotPulledFor)
	f.Younger, f.Pulled = ageOf(f.Field+".younger", r.YoungerThan), ageOf(f.Field+".pulled", r.PulledWithin)
	f.More = r.Semver != "" || len(r.Kinds) > 0 || r.Expired || keep && (r.Untagged || r.LastPerMinor > 0 || r.OlderThan != "" || r.NotPulledFor != "")
	return f
}

func digits(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// ageOf takes a time apart. One of several units is written in the largest that
// is whole.
func ageOf(name, text string) age {
	a := age{Name: name, Unit: "d"}
	if text == "" {
		return a
	}
	last := len(text) - 1
	if _, err := strconv.Atoi(text[:last]); err == nil {
		a.Count, a.Unit = text[:last], text[last:]
		return a
	}
	d, err := oci.ParseAge(text)
	if err != nil {
		a.Count = text
		return a
	}
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d%u.size == 0 {
			a.Count, a.Unit = strconv.FormatInt(int64(d/u.size), 10), u.unit
			break
		}
	}
	return a
}

// rulesIn reads the rules of a form, as they stand there. The error is that of the
// first field which is no number; the rules are whole but for such fields.
func rulesIn(form url.Values) (r lifecycle.Rules, wrong error) {
	r.DeleteLast = form.Get("delete_last") != ""
	list := func(name string) (rules []lifecycle.Rule) {
		for i := range maxRules {
			field := fmt.Sprintf("%s.%d", name, i)
			if !form.Has(field) {
				break
			}
			one, err := ruleIn(form, field)
			if wrong == nil {
				wrong = err
			}
			rules = append(rules, one)
		}
		return rules
	}
	r.Delete, r.Keep = list("delete"), list("keep")
	return r, wrong
}

func ruleIn(form url.Values, field string) (r lifecycle.Rule, err error) {
	get := func(name string) string { return strings.TrimSpace(form.Get(field + "." + name)) }
	time := func(name string) string {
		if count := get(name); count != "" {
			return count + get(name+".unit")
		}
		return ""
	}
	r = lifecycle.Rule{
		Tags: strings.FieldsFunc(get("tags"), func(c rune) bool { return c == ' ' || c == ',' }), Semver: get("semver"),
		Untagged: get("untagged") != "", Expired: get("expired") != "",
		OlderThan: time("older"), NotPulledFor: time("not-pulled"), YoungerThan: time("younger"), PulledWithin: time("pulled"),
	}
	for _, name := range form[field+".kind"] {
		r.Kinds = append(r.Kinds, oci.Kind(name))
	}
	var wrong error
	r.Last, err = number(get("last"))
	if r.LastPerMinor, wrong = number(get("per-minor")); err == nil {
		err = wrong
	}
	return r, err
}

// typed puts back what stands in the fields of numbers, numbers or not.
func typed(rules []ruleForm, form url.Values) {
	for i := range rules {
		rules[i].Last, rules[i].PerMinor = form.Get(rules[i].Field+".last"), form.Get(rules[i].Field+".per-minor")
	}
}

func number(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, errs.New(errs.Invalid, "%q is no number of versions to keep", text)
	}
	return n, nil
}

// change does what a button of the form says: it adds a rule, or takes one away.
// It reports whether the button was one of those.
func change(r *lifecycle.Rules, button string) bool {
	what, which, _ := strings.Cut(button, ".")
	list := &r.Delete
	if strings.HasSuffix(what, "keep") {
		list = &r.Keep
	}
	switch what {
	case "add-delete", "add-keep":
		*list = append(*list, lifecycle.Rule{})
	case "remove-delete", "remove-keep":
		if i, err := strconv.Atoi(which); err == nil && i >= 0 && i < len(*list) {
			*list = slices.Delete(*list, i, i+1)
		}
	default:
		return false
	}
	return true
}

// suggested are the rules with which the form begins where there are none.
func suggested() lifecycle.Rules {
	return lifecycle.Rules{
		Delete: []lifecycle.Rule{{Untagged: true, OlderThan: "30d"}},
		Keep:   []lifecycle.Rule{{PulledWithin: "30d"}},
	}
}
