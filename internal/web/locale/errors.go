package locale

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"packhouse/internal/errs"
)

// addErrors reads what the public texts of errors are in the other languages, by
// their English formats.
func (s *Set) addErrors() error {
	for _, l := range s.all[1:] {
		name := "errors/" + l.Tag + ".json"
		content, err := own.ReadFile(name)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(content, &l.errors); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Error returns what a person may read of err, "" for none: its public text in
// the language if that is known in it, else in English. Of faults of ours nothing
// is told but that there was one.
func (l *Locale) Error(err error) string {
	if err == nil {
		return ""
	}
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind == errs.Internal {
		return l.mustText("error.internal")
	}
	format, args := e.Sentence()
	if pattern, ok := l.errors[format]; ok {
		return l.fill(pattern, plain(args))
	}
	if e.Public == "" {
		return l.mustText("error." + strings.ReplaceAll(e.Kind.String(), " ", "-"))
	}
	if strings.HasPrefix(format, "%") && format != "%s" {
		return ended(e.Public) // it begins with a name, which is written as it is
	}
	return sentence(e.Public)
}

// plain returns args as the error itself writes them: many are ids, which have no
// separators between their thousands.
func plain(args []any) []any {
	texts := make([]any, len(args))
	for i, arg := range args {
		texts[i] = fmt.Sprint(arg)
	}
	return texts
}

// sentence makes an error's text one that can stand by itself.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return ended(string(unicode.ToUpper(first)) + s[size:])
}

// ended returns s with a full stop, if nothing ends it.
func ended(s string) string {
	if strings.ContainsAny(s[len(s)-1:], ".!?") {
		return s
	}
	return s + "."
}
