package frame

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"packhouse/internal/audit"
)

// auditPage is how many entries of the record a page shows.
const auditPage = 50

// AuditReader reads the record of changes.
type AuditReader interface {
	// List returns the entries that q chooses, the newest first.
	List(ctx context.Context, q audit.Query) ([]audit.Entry, error)
}

// AuditList is a page of the record of changes, for the part audit-list.
type AuditList struct {
	Entries []AuditEntry
	// Actor and Action are what was looked for.
	Actor, Action string
	// Newest and Older are addresses of other pages of the list; empty for none.
	Newest, Older string
	// At is the address of the list.
	At string
}

// AuditEntry is one change with its details in the order of their names.
type AuditEntry struct {
	audit.Entry
	Details []AuditDetail
}

// AuditDetail is one thing that an entry says.
type AuditDetail struct{ Name, Value string }

// AuditList reads the page of the record that the address asks for by actor,
// action and after: of one account and what is in its namespace, or with zero of
// the whole site. The visitor's right to it is decided before.
func (c *Call) AuditList(from AuditReader, accountID int64) (AuditList, error) {
	l := AuditList{Actor: c.Query("actor"), Action: c.Query("action"), At: c.R.URL.Path}
	entries, err := from.List(c.R.Context(), audit.Query{
		Account: accountID, Actor: l.Actor, Action: l.Action, Before: c.After(), Limit: auditPage + 1,
	})
	if err != nil {
		return l, err
	}
	if len(entries) > auditPage {
		entries = entries[:auditPage]
		l.Older = l.page(entries[auditPage-1].ID)
	}
	if c.After() != 0 {
		l.Newest = l.page(0)
	}
	for _, e := range entries {
		l.Entries = append(l.Entries, AuditEntry{e, auditDetails(e.Detail)})
	}
	return l, nil
}

// page is the address of the page after an entry.
func (l AuditList) page(after int64) string {
	q := url.Values{}
	for name, value := range map[string]string{"actor": l.Actor, "action": l.Action} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if after != 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	return l.At + "?" + q.Encode()
}

func auditDetails(detail map[string]any) (list []AuditDetail) {
	for _, name := range slices.Sorted(maps.Keys(detail)) {
		if value := auditValue(detail[name]); value != "" {
			list = append(list, AuditDetail{name, value})
		}
	}
	return list
}

// auditValue writes texts and numbers as they are, and the rest as JSON.
func auditValue(v any) string {
	switch one := v.(type) {
	case string:
		return one
	case float64:
		return strconv.FormatFloat(one, 'f', -1, 64)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
