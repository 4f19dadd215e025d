package audit_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

func TestBy(t *testing.T) {
	t.Parallel()
	repository, err := oci.ParseName("acme/app")
	if err != nil {
		t.Fatal(err)
	}
	for want, who := range map[audit.Actor]access.Principal{
		"operator": {Operator: true},
		"ann":      {AccountID: 1, Login: "ann"},
		"acme/app": {Workflow: &access.Workflow{RepositoryID: 1, Repository: repository}},
		"":         {},
	} {
		if got := audit.By(who); got != want {
			t.Errorf("by %q, want %q", got, want)
		}
	}
}
