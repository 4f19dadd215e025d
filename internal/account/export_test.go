package account

import "context"

const MaxWaiting = maxWaiting

// OneTimeCode is the code of an authenticator app for a step.
func OneTimeCode(secret []byte, step int64) string { return oneTimeCode(secret, step) }

func (p *Passwords) Acquire(ctx context.Context) (func(), error) { return p.acquire(ctx) }
