package packagepage

import (
	"slices"
	"strings"
	"testing"

	"packhouse/internal/evidence"
	"packhouse/internal/oci"
)

func TestLicence(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"MIT":                                   "MIT",
		"mit or apache-2.0":                     "mit OR apache-2.0",
		"( MIT  and (BSD-3-Clause Or ISC) )":    "(MIT AND (BSD-3-Clause OR ISC))",
		"GPL-2.0-only with Classpath-exception": "GPL-2.0-only WITH Classpath-exception",
		"MIT, Apache":                           "MIT, Apache",
		"Our own licence":                       "Our own licence",
		"MIT OR":                                "MIT OR",
		"(MIT":                                  "(MIT",
		"MIT)":                                  "MIT)",
		"":                                      "",
	} {
		if got := licence(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
}

func TestLayersWithTheirHistory(t *testing.T) {
	t.Parallel()
	m := &oci.Manifest{Layers: make([]oci.Descriptor, 2)}
	lines := func(history ...historyLine) string {
		list, _ := layersOf(m, history)
		var out []string
		for _, l := range list {
			text := l.Command
			if l.Empty {
				text += " (none)"
			}
			out = append(out, text)
		}
		return strings.Join(out, ",")
	}
	a, b, c, none := historyLine{Command: "a"}, historyLine{Command: "b"}, historyLine{Command: "c"}, historyLine{Command: "n", Empty: true}
	for _, test := range []struct {
		history []historyLine
		want    string
	}{
		{[]historyLine{a, none, b}, "a,n (none),b"},
		{nil, ","},
		{[]historyLine{a, b, c}, ","}, // does not fit
		{[]historyLine{none, a}, ","},
	} {
		if got := lines(test.history...); got != test.want {
			t.Errorf("%v: %q, want %q", test.history, got, test.want)
		}
	}
	m.Layers = make([]oci.Descriptor, maxLayers+3)
	if list, more := layersOf(m, nil); len(list) != maxLayers || more != 3 {
		t.Errorf("%d lines, %d more", len(list), more)
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	got := []string{sign("a", "a"), sign("", "a"), sign("a", ""), sign("a", "b")}
	if want := []string{"same", "added", "removed", "changed"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"os":"linux","config":{"Env":["A=1"],"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}}},"history":[{"created":"2026-01-02T03:04:05Z","created_by":"x"}]}`))
	f.Add([]byte(`{"config":{"Env":7}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, ok := parseConfig(content)
		if !ok && (len(c.Env) > 0 || len(c.History) > 0) {
			t.Error("something of what cannot be read")
		}
		if len(c.Env) > maxListed+1 || len(c.Labels) > maxListed || len([]rune(c.User)) > maxShown+1 || strings.ContainsAny(c.User, "\x00\u202e") {
			t.Errorf("not bounded or not plain: %+v", c)
		}
	})
}

func FuzzUnpackReadme(f *testing.F) {
	f.Add("\x1f\x8b")
	f.Fuzz(func(t *testing.T, packed string) {
		if text, _ := unpackReadme(strings.NewReader(packed)); len(text) > maxReadme {
			t.Errorf("%d bytes", len(text))
		}
	})
}

func FuzzLicence(f *testing.F) {
	f.Add("MIT OR (ISC)")
	f.Fuzz(func(t *testing.T, text string) {
		if again := licence(licence(text)); again != licence(text) {
			t.Errorf("%q becomes %q", licence(text), again)
		}
	})
}

// What is kept of documents is counted by its length: people write long names.
func TestWeightOfFacts(t *testing.T) {
	t.Parallel()
	long := evidence.Component{Name: strings.Repeat("x", 1000)}
	b := &evidence.SBOM{Components: []evidence.Component{long, long, long}}
	if little, much := weight(evidence.Facts{}), weight(evidence.Facts{SBOM: b}); little == 0 || much < little+3000 {
		t.Errorf("%d, and with 3000 bytes of names %d", little, much)
	}
}
