package retention

import (
	"strconv"
	"strings"

	"packhouse/internal/lifecycle"
	"packhouse/internal/web/locale"
)

// said is what a rule says, one text for each condition.
func said(l *locale.Locale, r lifecycle.Rule) (list []string) {
	say := func(ok bool, key string, args ...any) {
		if ok {
			list = append(list, text(l, key, args...))
		}
	}
	say(r.Untagged, "retention.says-untagged")
	say(len(r.Tags) > 0, "retention.says-tags", strings.Join(r.Tags, ", "))
	say(r.Semver != "", "retention.says-semver", r.Semver)
	for _, k := range r.Kinds {
		list = append(list, string(k))
	}
	say(r.Expired, "retention.says-expired")
	say(r.OlderThan != "", "retention.says-older", span(l, r.OlderThan))
	say(r.NotPulledFor != "", "retention.says-not-pulled", span(l, r.NotPulledFor))
	say(r.YoungerThan != "", "retention.says-younger", span(l, r.YoungerThan))
	say(r.PulledWithin != "", "retention.says-pulled", span(l, r.PulledWithin))
	if r.Last > 0 {
		list = append(list, count(l, "retention.says-last", r.Last))
	}
	if r.LastPerMinor > 0 {
		list = append(list, count(l, "retention.says-per-minor", r.LastPerMinor))
	}
	return list
}

// span is a time such as 30d in words.
func span(l *locale.Locale, age string) string {
	a := ageOf("", age)
	n, err := strconv.Atoi(a.Count)
	if err != nil {
		return age
	}
	switch a.Unit {
	case "w":
		return count(l, "retention.weeks", n)
	case "d":
		return count(l, "retention.days", n)
	case "h":
		return count(l, "retention.hours", n)
	}
	return age
}

// text and count are those of a key that is there, as tests see to.
func text(l *locale.Locale, key string, args ...any) string {
	s, err := l.Text(key, args...)
	if err != nil {
		return key
	}
	return s
}

func count(l *locale.Locale, key string, n int) string {
	s, err := l.Count(key, int64(n))
	if err != nil {
		return key
	}
	return s
}
