package oci

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestConfigLabels(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 2000)
	for _, c := range []struct {
		label, config string
		want          Labels
	}{
		{"all three", `{"config":{"Labels":{"org.opencontainers.image.source":"https://a.test/b/c","org.opencontainers.image.description":"text","org.opencontainers.image.licenses":"MIT"}}}`,
			Labels{Source: "https://a.test/b/c", Description: "text", Licenses: "MIT"}},
		{"others beside", `{"os":"linux","config":{"Env":["A=b"],"Labels":{"a":"b","org.opencontainers.image.licenses":"MIT"}},"history":[{}]}`, Labels{Licenses: "MIT"}},
		{"no labels", `{"config":{"Labels":null}}`, Labels{}},
		{"no config", `{"config":null}`, Labels{}},
		{"no object", `["config"]`, Labels{}},
		{"no JSON", `{"config":{"Labels":{`, Labels{}},
		{"nothing", ``, Labels{}},
		{"labels of another kind", `{"config":{"Labels":["org.opencontainers.image.source"]}}`, Labels{}},
		{"values of another kind", `{"config":{"Labels":{"org.opencontainers.image.source":["x"],"org.opencontainers.image.description":7,"org.opencontainers.image.licenses":"MIT"}}}`, Labels{Licenses: "MIT"}},
		{"long", `{"config":{"Labels":{"org.opencontainers.image.source":"` + long + `","org.opencontainers.image.description":"` + long + `","org.opencontainers.image.licenses":"` + long + `"}}}`,
			Labels{Description: long[:2*512], Licenses: long[:2*256]}},
		{"what cannot be shown", `{"config":{"Labels":{"org.opencontainers.image.description":"  a\u0000b\u001b\u0085c\nd\t "}}}`, Labels{Description: "abc\nd"}},
		{"too large", `{"config":{"Labels":{"org.opencontainers.image.licenses":"MIT"}}}` + strings.Repeat(" ", MaxConfigSize), Labels{}},
	} {
		if got := ConfigLabels([]byte(c.config)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.label, got, c.want)
		}
	}
}

func TestLabelsOfAManifest(t *testing.T) {
	t.Parallel()
	m := &Manifest{Annotations: map[string]string{labelSource: "s", labelDescription: "d", "other": "o"}}
	if got, want := m.Labels(), (Labels{Source: "s", Description: "d"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (&Manifest{}).Labels(); got != (Labels{}) {
		t.Errorf("without annotations: %+v", got)
	}
	got := Labels{Source: "mine", Licenses: "MIT"}.Or(Labels{Source: "theirs", Description: "text", Licenses: "BSD"})
	if want := (Labels{Source: "mine", Description: "text", Licenses: "MIT"}); got != want {
		t.Errorf("together: %+v, want %+v", got, want)
	}
}

func TestIsImageConfig(t *testing.T) {
	t.Parallel()
	for mediaType, want := range map[string]bool{
		"application/vnd.oci.image.config.v1+json":       true,
		"application/vnd.docker.container.image.v1+json": true,
		"application/vnd.oci.empty.v1+json":              false,
		"":                                               false,
	} {
		if IsImageConfig(mediaType) != want {
			t.Errorf("%q: %v", mediaType, !want)
		}
	}
}

// FuzzConfigLabels: whatever a config holds, its labels can be stored and shown.
func FuzzConfigLabels(f *testing.F) {
	f.Add([]byte(`{"config":{"Labels":{"org.opencontainers.image.source":"https://a.test/b/c","org.opencontainers.image.description":"\ud800 \u0000"}}}`))
	f.Add([]byte(`{"config":{"Labels":{"org.opencontainers.image.licenses":["MIT"]}}}`))
	f.Add([]byte(`{"Config":{"labels":{}},"config":7}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		l := ConfigLabels(config)
		for _, value := range []string{l.Source, l.Description, l.Licenses} {
			hidden := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
			if !utf8.ValidString(value) || strings.ContainsFunc(value, hidden) {
				t.Fatalf("%q of %q", value, config)
			}
		}
		if utf8.RuneCountInString(l.Source) > MaxSource || utf8.RuneCountInString(l.Description) > MaxDescription || utf8.RuneCountInString(l.Licenses) > MaxLicenses {
			t.Fatalf("%+v is too long", l)
		}
	})
}
