// Package locale speaks the languages of the pages: it chooses one for a browser,
// finds texts by their keys, and writes numbers, sizes, dates and times.
//
// Texts lie in catalogs, one JSON file for each language, beside the templates
// that use them. A text is a string, or an object of the plural forms that its
// language has:
//
//	"versions.title": "Versions of {0}",
//	"versions.count": {"one": "{0} version", "other": "{0} versions"}
//
// {0} stands for the first argument. `code` and **bold** are the only markup, and
// only where a template asks for it (see Locale.Rich).
package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Locale is one language. Safe for concurrent use.
type Locale struct {
	// Tag is the language as HTML names it, and Name what its speakers call it.
	Tag, Name string

	tag     language.Tag
	texts   map[string]text
	errors  map[string]string // by the English format
	format  formats
	numbers *message.Printer
}

// Set is all languages, with the texts of all catalogs that were added.
type Set struct {
	all     []*Locale // the first is the one for those who speak none of them
	matcher language.Matcher
}

//go:embed texts errors
var own embed.FS

// New returns the languages with the texts of errors and of figures. The error is
// that of a broken build.
func New() (*Set, error) {
	s := &Set{}
	var tags []language.Tag
	for _, l := range []struct{ tag, name string }{
		{"en", "English"}, {"zh-CN", "简体中文"}, {"de", "Deutsch"}, {"fr", "Français"},
	} {
		tag := language.MustParse(l.tag)
		tags = append(tags, tag)
		s.all = append(s.all, &Locale{
			Tag: l.tag, Name: l.name, tag: tag, texts: map[string]text{}, errors: map[string]string{}, format: formatsOf(l.tag), numbers: message.NewPrinter(tag),
		})
	}
	s.matcher = language.NewMatcher(tags)
	if err := s.Add(own, "texts"); err != nil {
		return nil, err
	}
	return s, s.addErrors()
}

// Add reads the catalogs of a directory: en.json, zh-CN.json, de.json, fr.json.
// The error is that of a file which is missing or malformed, and of a key that is
// there already.
func (s *Set) Add(files fs.FS, dir string) error {
	for _, l := range s.all {
		name := dir + "/" + l.Tag + ".json"
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := l.add(content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// All returns the languages in the order in which people choose among them.
func (s *Set) All() []*Locale { return slices.Clone(s.all) }

// Named returns the language with that tag, or nil.
func (s *Set) Named(tag string) *Locale {
	for _, l := range s.all {
		if l.Tag == tag {
			return l
		}
	}
	return nil
}

// Choose returns the language for a person who chose one, if it is one of ours,
// else for a browser that sent this Accept-Language.
func (s *Set) Choose(chosen, accepted string) *Locale {
	if l := s.Named(chosen); l != nil {
		return l
	}
	if len(accepted) > 200 { // parsing costs more than its length
		accepted = ""
	}
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil || len(wanted) == 0 {
		return s.all[0]
	}
	_, index, _ := s.matcher.Match(wanted...)
	return s.all[index]
}

// Text returns the text of the key with its arguments put in; the error is that
// of a key which is not there.
func (l *Locale) Text(key string, args ...any) (string, error) {
	t, ok := l.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, l.Tag)
	}
	return l.fill(t.other, args), nil
}

// Count is Text for a number of things, which is the first argument: it takes the
// plural form that the language has for it.
func (l *Locale) Count(key string, n int64, args ...any) (string, error) {
	t, ok := l.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, l.Tag)
	}
	form := t.other
	if t.one != "" && l.single(n) {
		form = t.one
	}
	return l.fill(form, append([]any{n}, args...)), nil
}

// single reports whether the language speaks of n things as of one.
func (l *Locale) single(n int64) bool {
	return plural.Cardinal.MatchPlural(l.tag, int(n%1_000_000), 0, 0, 0, 0) == plural.One
}

// Has reports whether there is a text of that key.
func (l *Locale) Has(key string) bool {
	_, ok := l.texts[key]
	return ok
}

// mustText is Text for keys of this package's own.
func (l *Locale) mustText(key string, args ...any) string {
	text, err := l.Text(key, args...)
	if err != nil {
		return key
	}
	return text
}
