package oci_test

import (
	"strings"
	"testing"

	"packhouse/internal/oci"
)

func TestParseSource(t *testing.T) {
	t.Parallel()
	hosts := []string{"packages.test", "docker.packages.test", "git.forge"}
	for source, want := range map[string]string{
		"https://packages.test/octocat/hello":                          "octocat/hello",
		"https://PACKAGES.test/Octocat/Hello-World":                    "octocat/hello-world",
		"http://packages.test:8080/octocat/hello/":                     "octocat/hello",
		"https://docker.packages.test/octocat/hello.git":               "octocat/hello",
		"https://git.forge/octocat/hello.git/":                         "octocat/hello",
		"https://git.forge./octocat/hello":                             "octocat/hello",
		"https://git.forge/octocat/hello/tree/main/images/a?x=y#z":     "octocat/hello",
		"https://git.forge/octocat/hello.git#main:docker":              "octocat/hello",
		"https://user:secret@git.forge/octocat/hello":                  "octocat/hello",
		"git+https://git.forge/octocat/hello.git":                      "octocat/hello",
		"git://git.forge/octocat/hello.git":                            "octocat/hello",
		"ssh://git@git.forge:2222/Octocat/hello.git":                   "octocat/hello",
		"git@git.forge:octocat/hello.git":                              "octocat/hello",
		"git.forge:/octocat/hello":                                     "octocat/hello",
		" https://git.forge/octocat/hello\n":                           "octocat/hello",
		"https://git.forge/octocat/hello.world":                        "octocat/hello.world",
		"":                                                             "",
		"octocat/hello":                                                "",
		"git.forge/octocat/hello":                                      "",
		"https://git.forge":                                            "",
		"https://git.forge/octocat":                                    "",
		"https://git.forge/octocat/":                                   "",
		"https://git.forge/octocat/.git":                               "",
		"https://git.forge//octocat/hello":                             "",
		"https://git.forge/../octocat/hello":                           "",
		"https://other.test/octocat/hello":                             "",
		"https://git.forge.other.test/octocat/hello":                   "",
		"https://other.test/git.forge/octocat/hello":                   "",
		"https://git.forge@other.test/octocat/hello":                   "",
		"https://other.test\\@git.forge/octocat/hello":                 "",
		"git@other.test:git.forge/octocat/hello":                       "",
		"file://git.forge/octocat/hello":                               "",
		"javascript://git.forge/octocat/hello":                         "",
		"https://git.forge/octo cat/hello":                             "",
		"https://git.forge/octocat%2fhello/x":                          "octocat/hello", // as a browser shows it
		"https://git.forge/octocat/" + strings.Repeat("a", 201):        "",
		"https://git.forge/octocat/hello/" + strings.Repeat("a", 3000): "",
	} {
		got, ok := oci.ParseSource(source, hosts)
		if got.String() != want || ok != (want != "") {
			t.Errorf("%.80q: %q, %v; want %q", source, got, ok, want)
		}
	}
}

func FuzzParseSource(f *testing.F) {
	for _, seed := range []string{
		"https://git.forge/octocat/hello.git", "git@git.forge:octocat/hello.git", "ssh://git@git.forge:22/a/b/c", "git.forge:a/b",
		"https://git.forge/%61/b", "https://[::1]/a/b", "https://git.forge/A/B.git#x",
	} {
		f.Add(seed)
	}
	hosts := []string{"git.forge"}
	f.Fuzz(func(t *testing.T, source string) {
		name, ok := oci.ParseSource(source, hosts)
		if ok == name.IsZero() {
			t.Fatalf("%q: %q, %v", source, name, ok)
		}
		if !ok {
			return
		}
		if name.Owner() == "" || name.Package() == "" || strings.Contains(name.Package(), "/") || strings.ToLower(name.String()) != name.String() {
			t.Errorf("%q is %q", source, name)
		}
		if !strings.Contains(strings.ToLower(source), "git.forge") {
			t.Errorf("%q is of no host of ours", source)
		}
		if again, ok := oci.ParseSource("https://git.forge/"+name.String(), hosts); !ok || again != name && !strings.HasSuffix(name.String(), ".git") {
			t.Errorf("%q is %q, which is %q", source, name, again)
		}
		if _, ok := oci.ParseSource(source, []string{"other.test"}); ok && !strings.Contains(source, "other.test") {
			t.Errorf("%q is taken for another host", source)
		}
	})
}
