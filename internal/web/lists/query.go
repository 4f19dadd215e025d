package lists

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/packages"
)

// What a query may hold at most: characters, and words beside the qualifiers.
const maxQuery, maxWords = 200, 8

// problem is why a query cannot be read: the key of a text, and what it is about.
type problem struct{ key, about string }

// The keys of problems.
const (
	tooLong       = "lists.query-too-long"
	tooManyWords  = "lists.query-too-many-words"
	openQuote     = "lists.query-open-quote"
	noValue       = "lists.query-no-value"
	noQualifier   = "lists.query-no-qualifier"
	givenTwice    = "lists.query-given-twice"
	badVisibility = "lists.query-bad-visibility"
	badType       = "lists.query-bad-type"
	badOwner      = "lists.query-bad-owner"
	badRepository = "lists.query-bad-repository"
)

// parseQuery reads what stands in the search box: words, which may be quoted, and
// qualifiers. The query chooses nothing when there is a problem.
//
//	web-server user:mona org:acme repo:acme/app is:public type:container "literally:this"
func parseQuery(text string) (packages.ListQuery, *problem) {
	if utf8.RuneCountInString(text) > maxQuery {
		return packages.ListQuery{}, &problem{key: tooLong}
	}
	terms, p := split(text)
	if p != nil {
		return packages.ListQuery{}, p
	}
	var q packages.ListQuery
	for _, t := range terms {
		if t.name == "" {
			q.Words = append(q.Words, t.value)
		} else if p := qualify(&q, t); p != nil {
			return packages.ListQuery{}, p
		}
	}
	if len(q.Words) > maxWords {
		return packages.ListQuery{}, &problem{key: tooManyWords}
	}
	q.Text, q.Words = firstOf(q.Words)
	if q.Repository != "" && !strings.Contains(q.Repository, "/") {
		if q.Owner == "" {
			return packages.ListQuery{}, &problem{badRepository, q.Repository}
		}
		q.Repository = q.Owner + "/" + q.Repository
	}
	return q, nil
}

// firstOf parts the word that the database looks for from the rest.
func firstOf(words []string) (first string, rest []string) {
	if len(words) == 0 {
		return "", nil
	}
	return words[0], append(rest, words[1:]...)
}

// term is a word, or with a name a qualifier.
type term struct{ name, value string }

// split cuts text into terms, at spaces that are not quoted.
func split(text string) (terms []term, p *problem) {
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return terms, nil
		}
		var t term
		name, _, found := strings.Cut(word(text), ":")
		if found {
			t.name, text = strings.ToLower(name), text[len(name)+1:]
		}
		if t.value, text, p = value(text); p != nil {
			return nil, p
		}
		switch {
		case found && t.name == "", found && t.value == "":
			return nil, &problem{noValue, t.name + ":"}
		case t.value != "":
			terms = append(terms, t)
		}
	}
}

// value takes a word or what is quoted from the beginning of text.
func value(text string) (v, rest string, p *problem) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		v, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", &problem{key: openQuote}
		}
		return strings.TrimSpace(v), rest, nil
	}
	v = word(text)
	return v, text[len(v):], nil
}

// word is what stands before the first space or quotation mark.
func word(text string) string {
	end := strings.IndexFunc(text, func(r rune) bool { return r == '"' || unicode.IsSpace(r) })
	if end < 0 {
		return text
	}
	return text[:end]
}

// qualify narrows q by a qualifier.
func qualify(q *packages.ListQuery, t term) *problem {
	var field *string
	switch t.name {
	case "user", "org":
		if _, err := account.ParseLogin(t.value); err != nil {
			return &problem{badOwner, t.value}
		}
		field = &q.Owner
	case "repo":
		owner, name, full := strings.Cut(t.value, "/")
		if full && (owner == "" || name == "") || strings.Contains(name, "/") {
			return &problem{badRepository, t.value}
		}
		field = &q.Repository
	case "is":
		return once(&q.Visibility, t, badVisibility, access.Public, access.Private, access.Internal)
	case "type":
		return once(&q.Type, t, badType, access.Container, access.Docker)
	default:
		return &problem{noQualifier, t.name + ":"}
	}
	if *field != "" {
		return &problem{givenTwice, t.name + ":"}
	}
	*field = t.value
	return nil
}

// once sets field to the value of t, which has to be one of all.
func once[T ~string](field *T, t term, bad string, all ...T) *problem {
	for _, one := range all {
		if string(one) != strings.ToLower(t.value) {
			continue
		}
		if *field != "" {
			return &problem{givenTwice, t.name + ":"}
		}
		*field = one
		return nil
	}
	return &problem{bad, t.value}
}
