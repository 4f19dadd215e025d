package rest

import (
	"encoding/json"
	"testing"

	"packhouse/internal/packages"
)

// GitHub's clients take errors that is a list, and lose the message else.
func TestDetailsAreLists(t *testing.T) {
	t.Parallel()
	for want, detail := range map[string]any{
		`null`:                 nil,
		`[{"code":"no_role"}]`: map[string]string{"reason": "no_role"},
		`["a","b"]`:            []string{"a", "b"},
		`[{"field":"name"}]`:   map[string]any{"field": "name"},
		`[{"as":"index","code":"needed","digest":"sha256:1","id":7,"message":"Version 7 is its index.","resource":"PackageVersion","tags":["v1"]}]`: []packages.Need{
			{ID: 7, Digest: "sha256:1", Tags: []string{"v1"}, As: packages.NeedsChild},
		},
	} {
		got, err := json.Marshal(details(detail))
		if err != nil || string(got) != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}
