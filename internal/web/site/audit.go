package site

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/web/frame"
)

// auditPage is all that was changed.
type auditPage struct {
	sitePage
	List frame.AuditList
	// Export is the address of the same as JSON.
	Export string
}

func (r *room) auditLog(c *frame.Call) error {
	p := auditPage{sitePage: page(c, "audit-log", "settings.audit-log")}
	var err error
	if p.List, err = c.AuditList(r.Audit, 0); err != nil {
		return err
	}
	p.Export = "/site/audit-log/export?" + url.Values{"actor": {p.List.Actor}, "action": {p.List.Action}}.Encode()
	return r.Show(c, frame.OK, "audit-log", p)
}

// line is one entry of the export.
type line struct {
	ID     int64          `json:"id"`
	At     time.Time      `json:"at"`
	Actor  string         `json:"actor"`
	Action string         `json:"action"`
	Target string         `json:"target"`
	Detail map[string]any `json:"detail"`
}

// export writes all entries that are asked for, a line of JSON each, the newest
// first. It reads pages of them, so that its memory does not grow.
func (r *room) export(c *frame.Call) error {
	q := audit.Query{Actor: c.Query("actor"), Action: c.Query("action"), Limit: audit.MaxPage}
	list, err := r.Audit.List(c.R.Context(), q)
	if err != nil {
		return err
	}
	h := c.W.Header()
	h.Set("Content-Type", "application/x-ndjson; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="audit-log.jsonl"`)
	c.W.WriteHeader(http.StatusOK)
	out := bufio.NewWriter(c.W)
	lines := json.NewEncoder(out)
	for len(list) > 0 {
		for _, e := range list {
			if err := lines.Encode(line{e.ID, e.At, string(e.Actor), e.Action, e.Target, e.Detail}); err != nil {
				return err
			}
		}
		if len(list) < audit.MaxPage {
			break
		}
		q.Before = list[len(list)-1].ID
		if list, err = r.Audit.List(c.R.Context(), q); err != nil {
			return err
		}
	}
	return out.Flush()
}
