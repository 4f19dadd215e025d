package httpx

import (
	"errors"

	"packhouse/internal/errs"
)

// StaleLogin returns err as the user of a client at host should read it, whose
// login does not hold. Clients send a stored login with every request, and it is
// never taken for nobody: so one that has ended also stops the pulls that need
// none, and the text has to say what helps. Errors other than Unauthenticated
// are returned as they are.
func StaleLogin(err error, host string) error {
	var e *errs.Error
	if !errs.Is(err, errs.Unauthenticated) || !errors.As(err, &e) {
		return err
	}
	told := *e
	told.Public += "; log in again, or run `docker logout " + host + "` to pull what is public without a login"
	return &told
}
