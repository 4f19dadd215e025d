package database_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/testkit"
)

// reportCPU adds the processor time that one operation took in this process,
// which says more than the clock on a machine that does other things too.
func reportCPU(b *testing.B) {
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := spent()
	b.Cleanup(func() { b.ReportMetric(float64(spent()-before)/float64(b.N), "cpu-ns/op") })
}

// engines runs a benchmark on both.
func engines(b *testing.B, run func(b *testing.B, db *database.DB)) {
	b.Run("sqlite", func(b *testing.B) { run(b, withRows(b, testkit.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { run(b, withRows(b, testkit.OpenPostgres(b))) })
}

func withRows(b *testing.B, db *database.DB) *database.DB {
	err := db.Write(b.Context(), func(ctx context.Context, tx *database.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, note text NOT NULL)"); err != nil {
			return err
		}
		for i := range 10_000 {
			_, err := tx.Exec(ctx, "INSERT INTO item (id, name, note) VALUES (?, ?, ?)", i, fmt.Sprint("item-", i), "as long as a digest with its algorithm, which has seventy-one letters")
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	return db
}

func BenchmarkPointRead(b *testing.B) {
	engines(b, func(b *testing.B, db *database.DB) {
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		b.ReportAllocs()
		reportCPU(b)
		for b.Loop() {
			var id int64
			var note string
			if err := db.Read().QueryRow(ctx, "SELECT id, note FROM item WHERE name = ?", "item-777").Scan(&id, &note); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPointReadParallel(b *testing.B) {
	engines(b, func(b *testing.B, db *database.DB) {
		b.ReportAllocs()
		reportCPU(b)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				var id int64
				var note string
				if err := db.Read().QueryRow(b.Context(), "SELECT id, note FROM item WHERE name = ?", "item-777").Scan(&id, &note); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkList100(b *testing.B) {
	engines(b, func(b *testing.B, db *database.DB) {
		b.ReportAllocs()
		reportCPU(b)
		for b.Loop() {
			rows, err := db.Read().Query(b.Context(), "SELECT id, name FROM item WHERE id > ? ORDER BY id LIMIT 100", 500)
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				var id int64
				var name string
				if err := rows.Scan(&id, &name); err != nil {
					b.Fatal(err)
				}
			}
			if err := rows.Err(); err != nil {
				b.Fatal(err)
			}
			rows.Close()
		}
	})
}

func BenchmarkVersion(b *testing.B) {
	db := testkit.SQLite(b)
	b.ReportAllocs()
	reportCPU(b)
	for b.Loop() {
		if _, _, err := db.Version(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	engines(b, func(b *testing.B, db *database.DB) {
		for _, c := range []struct {
			name    string
			writers int
			options []database.WriteOption
		}{
			{"durable-1", 1, nil},
			{"durable-8", 8, nil},
			{"durable-64", 64, nil},
			{"relaxed-1", 1, []database.WriteOption{database.Relaxed}},
			{"relaxed-8", 8, []database.WriteOption{database.Relaxed}},
		} {
			b.Run(c.name, func(b *testing.B) { writeBy(b, db, c.writers, c.options) })
		}
	})
}

func writeBy(b *testing.B, db *database.DB, writers int, options []database.WriteOption) {
	var id atomic.Int64
	var base int64
	if err := db.Read().QueryRow(b.Context(), "SELECT max(id) FROM item").Scan(&base); err != nil {
		b.Fatal(err)
	}
	id.Store(base)
	b.ReportAllocs()
	reportCPU(b)
	b.SetParallelism((writers + 1) / 2)
	b.ResetTimer()
	if writers == 1 {
		for b.Loop() {
			writeOne(b, db, id.Add(1), options)
		}
	} else {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				writeOne(b, db, id.Add(1), options)
			}
		})
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

func writeOne(b *testing.B, db *database.DB, id int64, options []database.WriteOption) {
	err := db.Write(b.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO item (id, name, note) VALUES (?, ?, ?)", id, fmt.Sprint("item-", id), "a note")
		return err
	}, options...)
	if err != nil {
		b.Error(err)
	}
}
