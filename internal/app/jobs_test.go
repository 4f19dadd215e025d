package app

import (
	"context"
	"log/slog"
	"testing"

	"packhouse/internal/config"
)

// TestAStopNotesTheLastUseOfTokens signs in with a token, stops the periodic
// work and reads when the token was used.
func TestAStopNotesTheLastUseOfTokens(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Data, cfg.URL = t.TempDir(), "http://localhost:8080"
	a, err := Build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := CreateUser(t.Context(), cfg, "mona", "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := CreateToken(t.Context(), cfg, TokenRequest{User: "mona", Scopes: []string{"read:packages"}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := a.Tokens.SignIn(t.Context(), nil, "mona", secret)
	if err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	a.runJobs(stopped, NewMetrics("test"))
	list, err := a.Store.Tokens(t.Context(), who.AccountID)
	if err != nil || len(list) != 1 || list[0].LastUsedAt.IsZero() {
		t.Errorf("tokens are %+v, %v; want one that was used", list, err)
	}
}
