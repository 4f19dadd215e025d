package account_test

import (
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func TestPeopleSignOutElsewhere(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "ann's password")
	s := f.sessions()
	b := &account.Browsers{Store: f.store, Now: func() time.Time { return f.now }}
	secrets := make([]string, 3)
	for i := range secrets {
		secrets[i] = f.enter(t, s, "ann", "ann's password", "", account.Browser{})
	}
	holds := func(want ...bool) {
		t.Helper()
		for i, secret := range secrets {
			if _, _, err := s.Find(ctx, secret); (err == nil) != want[i] {
				t.Errorf("session %d: %v", i, err)
			}
		}
	}
	first, who, err := s.Find(ctx, secrets[0])
	if err != nil {
		t.Fatal(err)
	}
	if list, err := b.List(ctx, who); err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	second, _, err := s.Find(ctx, secrets[1])
	if err != nil || len(second.Name()) != 16 {
		t.Fatal(second, err)
	}
	if err := b.End(ctx, who, second.Name()); err != nil {
		t.Fatal(err)
	}
	if err := b.End(ctx, who, second.Name()); !errs.Is(err, errs.NotFound) {
		t.Errorf("a second time: %v", err)
	}
	holds(true, false, true)
	if err := b.EndOthers(ctx, who, first); err != nil {
		t.Fatal(err)
	}
	holds(true, false, false)
	if err := b.EndAll(ctx, who); err != nil {
		t.Fatal(err)
	}
	holds(false, false, false)
	list, err := f.store.AuditEntries(ctx, audit.Query{Limit: 10, Action: "user.end-sessions"})
	if err != nil || len(list) != 2 || list[1].Detail["kept"] != first.Name() {
		t.Errorf("recorded: %v, %v", list, err)
	}
}
