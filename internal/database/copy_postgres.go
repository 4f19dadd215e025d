package database

import (
	"context"
	"io"

	"github.com/jackc/pgx/v5"
)

// Bulk is a transaction that moves whole tables.
type Bulk struct{ tx pgx.Tx }

// BulkPostgres runs fn in a transaction on a connection of its own, without
// limits of time, and commits it when fn returns nil. A transaction that only
// reads sees one state of the database.
func BulkPostgres(ctx context.Context, url string, readOnly bool, fn func(ctx context.Context, b *Bulk) error) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return classifyPostgres(err)
	}
	defer c.Close(context.WithoutCancel(ctx))
	options := pgx.TxOptions{}
	if readOnly {
		options = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	}
	return pgx.BeginTxFunc(ctx, c, options, func(tx pgx.Tx) error { return fn(ctx, &Bulk{tx}) })
}

// CopyTo writes what a COPY … TO STDOUT gives and returns the number of rows.
func (b *Bulk) CopyTo(ctx context.Context, w io.Writer, query string) (int64, error) {
	tag, err := b.tx.Conn().PgConn().CopyTo(ctx, w, query)
	return tag.RowsAffected(), classifyPostgres(err)
}

// CopyFrom is for a COPY … FROM STDIN.
func (b *Bulk) CopyFrom(ctx context.Context, r io.Reader, query string) (int64, error) {
	tag, err := b.tx.Conn().PgConn().CopyFrom(ctx, r, query)
	return tag.RowsAffected(), classifyPostgres(err)
}

// Exec runs a statement.
func (b *Bulk) Exec(ctx context.Context, query string, args ...any) error {
	_, err := b.tx.Exec(ctx, rebind(query), args...)
	return classifyPostgres(err)
}

// Each calls fn for each row of a query.
func (b *Bulk) Each(ctx context.Context, query string, args []any, fn func(row Row) error) error {
	rows, err := b.tx.Query(ctx, rebind(query), args...)
	if err != nil {
		return classifyPostgres(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return classifyPostgres(rows.Err())
}

// Columns returns the columns of a table, none when there is no such table, and
// the one whose numbers come from a sequence.
func (b *Bulk) Columns(ctx context.Context, table string) (columns []string, identity string, err error) {
	err = b.Each(ctx, `SELECT a.attname, a.attidentity <> '' FROM pg_attribute a
		JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relname = ? AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY a.attnum`, []any{table}, func(row Row) error {
		var column string
		var numbered bool
		if err := row.Scan(&column, &numbered); err != nil {
			return err
		}
		if numbered {
			identity = column
		}
		columns = append(columns, column)
		return nil
	})
	return columns, identity, err
}

// References returns to which other tables each table refers.
func (b *Bulk) References(ctx context.Context) (map[string][]string, error) {
	refers := map[string][]string{}
	err := b.Each(ctx, `SELECT c.relname, r.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
		JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND k.contype = 'f' AND k.conrelid <> k.confrelid ORDER BY 1, 2`, nil,
		func(row Row) error {
			var from, to string
			err := row.Scan(&from, &to)
			refers[from] = append(refers[from], to)
			return err
		})
	return refers, err
}

// LastNumber returns the last number that the sequence of a column gave; 0 for
// none.
func (b *Bulk) LastNumber(ctx context.Context, table, column string) (last int64, err error) {
	err = b.Each(ctx, `SELECT COALESCE(last_value, 0) FROM pg_sequences
		WHERE quote_ident(schemaname) || '.' || quote_ident(sequencename) = pg_get_serial_sequence(quote_ident(?), ?)`,
		[]any{table, column}, func(row Row) error { return row.Scan(&last) })
	return last, err
}

// SetLastNumber has the sequence of a column give last + 1 next.
func (b *Bulk) SetLastNumber(ctx context.Context, table, column string, last int64) error {
	return b.Exec(ctx, `SELECT setval(pg_get_serial_sequence(quote_ident(?), ?), ?)`, table, column, last)
}
