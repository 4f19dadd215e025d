package locale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
)

// text is one text with its forms; one is "" where the language or the text has
// no form for one thing.
type text struct{ one, other string }

// UnmarshalJSON takes a string or an object of forms.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.other)
	}
	var forms struct{ One, Other string }
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&forms); err != nil {
		return err
	}
	t.one, t.other = forms.One, forms.Other
	return nil
}

func (l *Locale) add(content []byte) error {
	texts := map[string]text{}
	if err := json.Unmarshal(content, &texts); err != nil {
		return err
	}
	for key, t := range texts {
		if _, ok := l.texts[key]; ok {
			return fmt.Errorf("the text %q is there twice", key)
		}
		if t.other == "" {
			return fmt.Errorf("the text %q is empty", key)
		}
		l.texts[key] = t
	}
	return nil
}

// fill puts the arguments in their places. Numbers are written as the language
// writes them.
func (l *Locale) fill(pattern string, args []any) string {
	if !strings.Contains(pattern, "{") {
		return pattern
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", l.word(arg))
	}
	return strings.NewReplacer(pairs...).Replace(pattern)
}

func (l *Locale) word(arg any) string {
	switch v := arg.(type) {
	case string:
		return v
	case int:
		return l.Number(int64(v))
	case int64:
		return l.Number(v)
	}
	return fmt.Sprint(arg)
}

var (
	codeMark = regexp.MustCompile("`([^`]*)`")
	boldMark = regexp.MustCompile(`\*\*([^*]*)\*\*`)
)

// Rich is Text as HTML: what stands between ` and ** in the catalog becomes code
// and bold. Arguments are text, whatever they hold.
func (l *Locale) Rich(key string, args ...any) (template.HTML, error) {
	t, ok := l.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q in %s", key, l.Tag)
	}
	marked := template.HTMLEscapeString(t.other)
	marked = codeMark.ReplaceAllString(marked, "<code>$1</code>")
	marked = boldMark.ReplaceAllString(marked, "<strong>$1</strong>")
	escaped := make([]any, len(args))
	for i, arg := range args {
		escaped[i] = template.HTMLEscapeString(l.word(arg))
	}
	return template.HTML(l.fill(marked, escaped)), nil //nolint:gosec // escaped above
}
