package database

import (
	"context"
	"database/sql/driver"
	"sync"
)

// watch tells whether the database changed. SQLite's data_version is a number
// of one connection that moves when any other connection commits. This
// connection does nothing but ask for it, so every commit is another's,
// whether by our writer or by another process; and since asking begins a read
// of the newest state, a commit that was acknowledged before is in the answer.
type watch struct {
	connector driver.Connector

	mu   sync.Mutex
	conn *sqliteConn
	// opened counts connections. It is the upper half of the answer, because
	// a new connection starts its numbers anew.
	opened uint64
}

func (w *watch) version(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil {
		c, err := w.connector.Connect(ctx)
		if err != nil {
			return 0, err
		}
		w.conn = c.(*sqliteConn)
		w.opened++
	}
	v, err := w.conn.row("PRAGMA data_version", nil, false)
	if err != nil {
		w.drop()
		return 0, err
	}
	return w.opened<<32 | uint64(uint32(v[0].(int64))), nil
}

// letGo closes the connection unless it is in use, and then it meets the same
// trouble.
func (w *watch) letGo() {
	if w.mu.TryLock() {
		w.drop()
		w.mu.Unlock()
	}
}

func (w *watch) close() {
	w.mu.Lock()
	w.drop()
	w.mu.Unlock()
}

func (w *watch) drop() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
