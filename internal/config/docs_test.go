package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"packhouse/internal/config"
)

var update = flag.Bool("update", false, "write the table of docs/configuration.md anew")

const (
	docsPath   = "../../docs/configuration.md"
	tableBegin = "<!-- settings: begin -->\n"
	tableEnd   = "<!-- settings: end -->\n"
)

// TestDocsTable holds the table of the documentation to the settings.
func TestDocsTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("| File key | Variable | Flag | Default | What it does |\n|---|---|---|---|---|\n")
	for _, s := range config.Settings(config.Default()) {
		value := s.Value()
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | `--%s` | %s | %s |\n", s.Key, s.Env(), s.Flag(), value, s.Doc)
	}
	page, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), tableBegin)
	table, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its table", docsPath)
	}
	if table == b.String() {
		return
	}
	if !*update {
		t.Fatalf("%s does not list the settings as they are; go test ./internal/config -run TestDocsTable -update writes:\n%s", docsPath, b.String())
	}
	if err := os.WriteFile(docsPath, []byte(before+tableBegin+b.String()+tableEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
