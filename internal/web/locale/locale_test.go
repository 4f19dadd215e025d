package locale_test

import (
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/web/locale"
)

func set(t *testing.T) *locale.Set {
	t.Helper()
	s, err := locale.New()
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for tag, content := range map[string]string{
		"en":    `{"x.n": {"one": "{0} tag of {1}", "other": "{0} tags of {1}"}, "x.rich": "use ` + "`{0}`" + ` **now**"}`,
		"de":    `{"x.n": {"one": "{0} Tag von {1}", "other": "{0} Tags von {1}"}, "x.rich": "nimm ` + "`{0}`" + ` **jetzt**"}`,
		"fr":    `{"x.n": {"one": "{0} tag de {1}", "other": "{0} tags de {1}"}, "x.rich": "r"}`,
		"zh-CN": `{"x.n": "{1} 的 {0} 个标签", "x.rich": "r"}`,
	} {
		files["l/"+tag+".json"] = &fstest.MapFile{Data: []byte(content)}
	}
	if err := s.Add(files, "l"); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestChoose(t *testing.T) {
	t.Parallel()
	s := set(t)
	for _, test := range []struct{ chosen, accepted, want string }{
		{"", "", "en"},
		{"", "de-AT,de;q=0.9,en;q=0.5", "de"},
		{"", "fr-CA", "fr"},
		{"", "zh", "zh-CN"},
		{"", "zh-Hans-CN;q=0.8, ja", "zh-CN"},
		{"", "ja, pt", "en"},
		{"", "en;q=0.1, de;q=0.2", "de"},
		{"", "not a language;;", "en"},
		{"fr", "de", "fr"},
		{"xx", "de", "de"},
	} {
		if got := s.Choose(test.chosen, test.accepted).Tag; got != test.want {
			t.Errorf("chosen %q, accepted %q: %s, want %s", test.chosen, test.accepted, got, test.want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	s := set(t)
	for _, test := range []struct {
		tag  string
		n    int64
		want string
	}{
		{"en", 0, "0 tags of app"}, {"en", 1, "1 tag of app"}, {"en", 1200, "1,200 tags of app"},
		{"de", 1, "1 Tag von app"}, {"de", 1200, "1.200 Tags von app"},
		{"fr", 0, "0 tag de app"}, {"fr", 1, "1 tag de app"}, {"fr", 2, "2 tags de app"},
		{"zh-CN", 1, "app 的 1 个标签"}, {"zh-CN", 5, "app 的 5 个标签"},
	} {
		got, err := s.Named(test.tag).Count("x.n", test.n, "app")
		if err != nil || got != test.want {
			t.Errorf("%s %d: %q, %v, want %q", test.tag, test.n, got, err, test.want)
		}
	}
	if _, err := s.Named("en").Text("x.none"); err == nil {
		t.Error("a text that is not there was found")
	}
}

// What stands in an argument is never markup, nor a place for another argument.
func TestRichEscapes(t *testing.T) {
	t.Parallel()
	got, err := set(t).Named("de").Rich("x.rich", "<b>`x` **y** {0} {1}&")
	const want = "nimm <code>&lt;b&gt;`x` **y** {0} {1}&amp;</code> <strong>jetzt</strong>"
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	s, now := set(t), time.Date(2026, 3, 4, 15, 6, 7, 0, time.UTC)
	en, de, zh := s.Named("en"), s.Named("de"), s.Named("zh-CN")
	for _, test := range []struct{ got, want string }{
		{en.Bytes(0), "0 B"}, {en.Bytes(1023), "1,023 B"}, {en.Bytes(1536), "1.5 KiB"}, {de.Bytes(1536), "1,5 KiB"},
		{en.Bytes(300 << 20), "300 MiB"}, {en.Bytes(1 << 62), "4,096 PiB"},
		{en.Day(now), "Mar 4, 2026"}, {de.Day(now), "04.03.2026"}, {zh.Minute(now), "2026年3月4日 15:06 UTC"},
		{en.Day(time.Time{}), "never"},
		{en.Ago(now.Add(-30*time.Second), now), "just now"}, {en.Ago(now.Add(-time.Hour), now), "1 hour ago"},
		{de.Ago(now.Add(-49*time.Hour), now), "vor 2 Tagen"}, {en.Ago(now.Add(400*24*time.Hour), now), "in 1 year"},
		{zh.Ago(now.Add(-3*time.Minute), now), "3 分钟前"},
		{de.Percent(0.25), "25\u00a0%"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	s := set(t)
	en := s.Named("en")
	if got, want := s.Named("de").Error(errs.New(errs.NotFound, "no job %d", 12345)), "Den Auftrag 12345 gibt es nicht."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errs.New(errs.Conflict, "the tag %q is immutable", "v1"), `The tag "v1" is immutable.`},
		{errs.New(errs.Conflict, "%s is gone for good", "alice/app"), "alice/app is gone for good."},
		{errs.New(errs.Conflict, "%s", "no room is left"), "No room is left."},
		{errs.Wrap(errs.Internal, errors.New("pq: secret"), "no rows"), "Something went wrong here. It is not your fault."},
		{errors.New("disk path"), "Something went wrong here. It is not your fault."},
		{&errs.Error{Kind: errs.RateLimited}, "Too many requests. Wait a little and try again."},
		{errs.New(errs.Invalid, "Is it right?"), "Is it right?"},
	} {
		if got := en.Error(test.err); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
