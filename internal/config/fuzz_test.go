package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// FuzzFile: a file either gives a configuration that holds its own rules, or an
// error of kind Invalid.
func FuzzFile(f *testing.F) {
	f.Add("data: a\nhttp:\n  upload_idle: 30s\n")
	f.Add("s3: &a {b: *a}")
	f.Add("? [x]\n: y")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Sources{File: path})
		switch {
		case err != nil && !errs.Is(err, errs.Invalid):
			t.Errorf("%q: %v", text, err)
		case err == nil && c.Validate() != nil:
			t.Errorf("%q: %v", text, c.Validate())
		}
	})
}
