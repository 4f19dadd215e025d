package database

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// OpenPostgres opens the database that url names, in the form of libpq.
func OpenPostgres(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database address: %w", err)
	}
	config.MaxConns = int32(o.Readers)
	if o.Readers <= 0 {
		config.MaxConns = int32(max(8, 4*runtime.GOMAXPROCS(0)))
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, classifyPostgres(err)
	}
	b := &postgresDB{pool: pool, sql: stdlib.OpenDBFromPool(pool)}
	if err := b.ping(ctx); err != nil {
		b.close()
		return nil, err
	}
	return &DB{engine: EnginePostgres, sql: b.sql, backend: b}, nil
}

type postgresDB struct {
	pool  *pgxpool.Pool
	sql   *sql.DB
	binds rebinder
}

func (b *postgresDB) querier(h handle, readOnly bool) *querier {
	return &querier{h: h, text: b.binds.text, classify: classifyPostgres, readOnly: readOnly}
}

func (b *postgresDB) reader() Querier { return b.querier(b.sql, true) }

func (b *postgresDB) snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	tx, err := b.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return classifyPostgres(err)
	}
	defer tx.Rollback()
	return fn(ctx, b.querier(tx, true))
}

func (b *postgresDB) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error {
	tx, err := b.sql.BeginTx(ctx, nil)
	if err != nil {
		return classifyPostgres(err)
	}
	defer tx.Rollback()
	if err := fn(ctx, &Tx{b.querier(tx, false)}); err != nil {
		return err
	}
	return classifyPostgres(tx.Commit())
}

func (b *postgresDB) version(context.Context) (uint64, bool, error) { return 0, false, nil }

func (b *postgresDB) ping(ctx context.Context) error { return classifyPostgres(b.sql.PingContext(ctx)) }

func (b *postgresDB) close() error {
	err := b.sql.Close()
	b.pool.Close()
	return err
}
