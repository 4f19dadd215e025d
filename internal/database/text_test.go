package database

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"packhouse/internal/errs"
)

func TestRebind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"SELECT 1", "SELECT 1"},
		{"a = ? AND b = ?", "a = $1 AND b = $2"},
		{"a = '?' AND b = ?", "a = '?' AND b = $1"},
		{"a = 'it''s?' AND \"b?\" = ?", "a = 'it''s?' AND \"b?\" = $1"},
		{"a -- why?\n = ?", "a -- why?\n = $1"},
		{"a = ? -- why?", "a = $1 -- why?"},
		{"a = '?", "a = '?"},
	} {
		if got := rebind(c.in); got != c.want {
			t.Errorf("rebind(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestClassOfPostgresErrors(t *testing.T) {
	t.Parallel()
	code := func(c string) error { return &pgconn.PgError{Code: c} }
	for _, c := range []struct {
		err  error
		want errs.Kind
	}{
		{code("53100"), errs.NoSpace},
		{code("53300"), errs.Unavailable},
		{code("57P01"), errs.Unavailable},
		{code("57P03"), errs.Unavailable},
		{code("57014"), errs.Unavailable},
		{code("58030"), errs.Unavailable},
		{code("40001"), errs.Unavailable},
		{code("08006"), errs.Unavailable},
		{code("42601"), errs.Internal},
		{code("23505"), errs.Internal},
		{io.ErrUnexpectedEOF, errs.Unavailable},
		{fmt.Errorf("read: %w", syscall.ECONNRESET), errs.Unavailable},
		{fmt.Errorf("write: %w", syscall.ENOSPC), errs.NoSpace},
		{errs.New(errs.NotFound, "no such package"), errs.NotFound},
	} {
		if got := errs.KindOf(classifyPostgres(c.err)); got != c.want {
			t.Errorf("%v is %v, want %v", c.err, got, c.want)
		}
	}
	for _, err := range []error{sql.ErrNoRows, context.Canceled, context.DeadlineExceeded} {
		if classifyPostgres(err) != err || classifySQLite(err) != err {
			t.Errorf("%v does not pass as it is", err)
		}
	}
}

func TestOlderThan(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{
		"3.51.2": true, "3.51.3": false, "3.51.10": false, "3.54.1": false, "4.0.0": false,
		"3.50.9": true, "3.51": true, "": true, "x.y.z": true,
	} {
		if got := olderThan(version, 3, 51, 3); got != want {
			t.Errorf("olderThan(%q) = %v, want %v", version, got, want)
		}
	}
}

func TestNetworkName(t *testing.T) {
	t.Parallel()
	const nfs, ext4 = 0x6969, 0xef53
	if networkName(nfs) == "" || networkName(ext4) != "" {
		t.Error("NFS must be refused, and ext4 taken")
	}
}

// A connection keeps the texts it saw prepared, within bounds, and prepares
// one a second time when its first use is not over.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	db, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "p.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Snapshot(t.Context(), func(ctx context.Context, q Querier) error {
		for i := range maxStatements + 100 {
			var got int
			if err := q.QueryRow(ctx, fmt.Sprint("SELECT ", i)).Scan(&got); err != nil || got != i {
				return fmt.Errorf("%d: got %d, %w", i, got, err)
			}
		}
		const text = "SELECT 1 UNION SELECT 2"
		rows, err := q.Query(ctx, text)
		if err != nil {
			return err
		}
		n := 0
		for rows.Next() {
			var first int
			if err := q.QueryRow(ctx, text).Scan(&first); err != nil || first != 1 {
				return fmt.Errorf("the same text within its rows: %d, %w", first, err)
			}
			n++
		}
		if n != 2 {
			return fmt.Errorf("%d rows, want 2", n)
		}
		return q.(*Tx).s.(sqliteSession).c.Raw(func(dc any) error {
			if kept := len(dc.(*sqliteConn).kept); kept > maxStatements {
				return fmt.Errorf("%d statements kept", kept)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}
