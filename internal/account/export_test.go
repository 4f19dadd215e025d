package account

import "context"

const MaxWaiting = maxWaiting

func (p *Passwords) Acquire(ctx context.Context) (func(), error) { return p.acquire(ctx) }
