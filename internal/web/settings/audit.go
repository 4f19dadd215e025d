package settings

import (
	"context"

	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

// auditPage is the record of what was done to somebody's account and in its
// namespace, or with Mine of what they did.
type auditPage struct {
	frame.OwnerPage
	Mine bool
	List frame.AuditList
}

func (r *room) audit(c *frame.Call) error { return r.auditPage(c, r.Audit, c.Who.AccountID, false) }

func (r *room) auditMine(c *frame.Call) error {
	return r.auditPage(c, by{r.Audit, c.Who.Login}, 0, true)
}

func (r *room) auditPage(c *frame.Call, from frame.AuditReader, accountID int64, mine bool) error {
	own, err := r.own(c, "audit-log", "settings.audit-log")
	if err != nil {
		return err
	}
	list, err := c.AuditList(from, accountID)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "audit", auditPage{own, mine, list})
}

// by reads what one actor did, wherever that was.
type by struct {
	frame.AuditReader
	login string
}

// List implements frame.AuditReader.
func (b by) List(ctx context.Context, q audit.Query) ([]audit.Entry, error) {
	if q.Actor != "" && q.Actor != b.login {
		return nil, nil
	}
	q.Actor = b.login
	return b.AuditReader.List(ctx, q)
}
