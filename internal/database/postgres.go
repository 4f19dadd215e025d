package database

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// statementTimeout ends a statement on the server, and with it what waits
	// for its locks. Migrations have none.
	statementTimeout = "30s"
	// idleTimeout ends a transaction whose client fell silent.
	idleTimeout    = "60s"
	connectTimeout = 5 * time.Second
	// commitTimeout bounds the wait for the answer to COMMIT, which does not
	// end with the caller's context.
	commitTimeout = 30 * time.Second
)

// OpenPostgres opens the database that url names, in the form libpq takes. It
// fails when the server cannot be reached; later it may come and go.
func OpenPostgres(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("the database address: %w", err)
	}
	config.MaxConns = int32(o.Readers)
	if o.Readers <= 0 {
		config.MaxConns = int32(max(8, 4*runtime.GOMAXPROCS(0)))
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	params := config.ConnConfig.RuntimeParams
	params["idle_in_transaction_session_timeout"] = idleTimeout
	if params["application_name"] == "" {
		params["application_name"] = "packhouse"
	}
	migrate := config.ConnConfig.Copy()
	params["statement_timeout"] = statementTimeout

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, classifyPostgres(err)
	}
	b := &postgresDB{
		pool: pool, log: o.Logger, random: o.Random,
		sql:     sql.OpenDB(postgresConnector{stdlib.GetPoolConnector(pool)}),
		migrate: sql.OpenDB(postgresConnector{stdlib.GetConnector(*migrate)}),
	}
	// The pool keeps idle connections; database/sql must not keep them from it.
	b.sql.SetMaxIdleConns(0)
	b.migrate.SetMaxIdleConns(0)
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if err := b.ping(ctx); err != nil {
		b.close()
		return nil, err
	}
	return &DB{engine: EnginePostgres, sql: b.migrate, backend: b}, nil
}

// postgresDB is the backend on PostgreSQL.
type postgresDB struct {
	rebinder
	pool         *pgxpool.Pool
	sql, migrate *sql.DB
	log          *slog.Logger
	random       func() float64
}

func (b *postgresDB) reader() Querier { return postgresReader{b} }

func (b *postgresDB) snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return b.retry(ctx, func() (error, bool) {
		tx, err := b.begin(ctx, options)
		if err != nil {
			return classifyPostgres(err), lost(err)
		}
		defer tx.end()
		t := &Tx{s: tx, readOnly: true}
		return t.finish(fn(ctx, t)), false
	})
}

func (b *postgresDB) version(context.Context) (uint64, bool, error) { return 0, false, nil }

func (b *postgresDB) ping(ctx context.Context) error {
	return classifyPostgres(b.pool.Ping(ctx))
}

func (b *postgresDB) close() error {
	err := b.sql.Close()
	if e := b.migrate.Close(); err == nil {
		err = e
	}
	b.pool.Close()
	return err
}
