package token

import (
	"context"
	"io"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// create makes a secret for t and stores it.
func create(ctx context.Context, store Issued, random io.Reader, t Token, limits []access.Limit, e audit.Entry) (Secret, Token, error) {
	secret, err := generate(t.Kind, random)
	if err != nil {
		return Secret{}, Token{}, err
	}
	t.SecretHash = hashOf(secret.Reveal())
	if t.ID, err = store.CreateToken(ctx, t, limits, e); err != nil {
		return Secret{}, Token{}, err
	}
	return secret, t, nil
}
