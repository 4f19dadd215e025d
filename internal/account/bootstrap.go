package account

import (
	"context"
	"io"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// FirstLogin is the site administrator that a first start creates.
const FirstLogin = "admin"

// Bootstrap creates the site administrator unless there is one, with the given
// password or, when that is empty, a random one. It returns the password if it
// created the account, and "" if there was nothing to do: it may be called at
// every start, by several nodes at once.
func (s *Service) Bootstrap(ctx context.Context, password string) (string, error) {
	found, err := s.Store.HasSiteAdmin(ctx)
	if err != nil || found {
		return "", err
	}
	if password == "" {
		if password, err = randomPassword(s.Random); err != nil {
			return "", err
		}
	}
	_, err = s.CreateUser(ctx, audit.Server, NewUser{Login: FirstLogin, Password: password, SiteAdmin: true})
	if errs.Is(err, errs.Exists) {
		return "", nil // another node was faster, or the name is a common user's
	}
	if err != nil {
		return "", err
	}
	return password, nil
}

// passwordAlphabet leaves out what looks alike. Its length divides 256.
const passwordAlphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// randomPassword returns 24 characters of 5 bits each.
func randomPassword(random io.Reader) (string, error) {
	b := make([]byte, 24)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a password")
	}
	for i := range b {
		b[i] = passwordAlphabet[int(b[i])%len(passwordAlphabet)]
	}
	return string(b), nil
}
