package rest

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

func (h *Handler) auditRoutes() []route {
	return []route{
		{"GET", "/orgs/{org}/audit-log", h.organizationAudit, onAccount(account.Organization, access.AdminOrg, access.AdministerAccount)},
		{"GET", "/admin/audit-log", h.siteAudit, siteAdmin()},
	}
}

// auditEntry is GitHub's entry of an audit log, with what was changed and its
// details in this server's own fields.
type auditEntry struct {
	Timestamp  int64          `json:"@timestamp"` // in milliseconds
	CreatedAt  int64          `json:"created_at"` // likewise
	DocumentID string         `json:"_document_id"`
	Action     string         `json:"action"`
	Actor      string         `json:"actor"`
	Org        string         `json:"org,omitempty"`
	Target     string         `json:"target"`
	Data       map[string]any `json:"data"`
}

func (h *Handler) organizationAudit(c *call) error {
	return c.auditLog(c.target.account.ID, c.target.account.Login)
}

func (h *Handler) siteAudit(c *call) error { return c.auditLog(0, "") }

// auditLog answers with a page of entries, the newest first. after and before
// are the cursors of the Link header; phrase may hold action:NAME and actor:NAME.
func (c *call) auditLog(accountID int64, org string) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	q := audit.Query{Limit: p.perPage + 1, Account: accountID}
	for name, to := range map[string]*int64{"after": &q.Before, "before": &q.After} {
		if !c.q.Has(name) {
			continue
		}
		if *to, err = strconv.ParseInt(c.q.Get(name), 10, 64); err != nil || *to <= 0 {
			return errs.New(errs.Invalid, "%s is a cursor of a Link header", name)
		}
	}
	for word := range strings.FieldsSeq(c.q.Get("phrase")) {
		switch name, value, _ := strings.Cut(word, ":"); name {
		case "action":
			q.Action = value
		case "actor":
			q.Actor = value
		default:
			return invalid("phrase may hold action:NAME and actor:NAME")
		}
	}
	list, err := c.h.Audit.List(c.r.Context(), q)
	if err != nil {
		return err
	}
	more := len(list) > p.perPage
	if more && q.After != 0 {
		list = list[len(list)-p.perPage:]
	} else if more {
		list = list[:p.perPage]
	}
	c.auditLinks(q, list, more)
	entries := []auditEntry{}
	for _, e := range list {
		at := e.At.UnixMilli()
		entries = append(entries, auditEntry{
			Timestamp: at, CreatedAt: at, DocumentID: strconv.FormatInt(e.ID, 10), Action: e.Action, Actor: string(e.Actor),
			Org: org, Target: e.Target, Data: e.Detail,
		})
	}
	return c.json(http.StatusOK, entries)
}

// auditLinks sets the Link header: next are older entries, prev newer ones. more
// is set when there is another page in the direction that was asked for.
func (c *call) auditLinks(q audit.Query, list []audit.Entry, more bool) {
	if len(list) == 0 {
		return
	}
	var links []string
	add := func(rel, name, other string, id int64) {
		u := c.at(url.Values{name: {strconv.FormatInt(id, 10)}, other: nil})
		links = append(links, "<"+u+`>; rel="`+rel+`"`)
	}
	if more || q.After != 0 {
		add("next", "after", "before", list[len(list)-1].ID)
	}
	if q.Before != 0 || q.After != 0 && more {
		add("prev", "before", "after", list[0].ID)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
}
