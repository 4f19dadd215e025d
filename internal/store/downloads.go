package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/downloads"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

var (
	_ downloads.Sink          = (*Store)(nil)
	_ packages.DownloadCounts = (*Store)(nil)
)

// AddDownloads implements downloads.Sink. Counts come in the order of packages,
// and a package's row is taken before those of its versions, as all changes do.
func (s *Store) AddDownloads(ctx context.Context, counts []downloads.Count) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for i := 0; i < len(counts); {
			n := i
			for n < len(counts) && counts[n].PackageID == counts[i].PackageID {
				n++
			}
			if err := addPackageDownloads(ctx, tx, counts[i:n]); err != nil {
				return err
			}
			i = n
		}
		return nil
	})
}

// addPackageDownloads adds counts of one package.
func addPackageDownloads(ctx context.Context, tx *database.Tx, counts []downloads.Count) error {
	var pulls int64
	for _, c := range counts {
		if c.Tag != downloads.PartOfIndex {
			pulls += c.N
		}
	}
	res, err := tx.Exec(ctx, `UPDATE packages SET downloads = downloads + ? WHERE id = ?`, pulls, counts[0].PackageID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	for _, c := range counts {
		last := toMicros(c.Last)
		_, err := tx.Exec(ctx, `UPDATE versions SET downloads = downloads + ?,
				last_download_at = CASE WHEN last_download_at > ? THEN last_download_at ELSE ? END
			WHERE id = ? AND package_id = ?`, c.N, last, last, c.VersionID, c.PackageID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO downloads (package_id, version_id, tag, day, count) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (package_id, version_id, tag, day) DO UPDATE SET count = downloads.count + excluded.count`,
			c.PackageID, c.VersionID, c.Tag, c.Day, c.N)
		if err != nil {
			return err
		}
	}
	return nil
}

// PackageDownloads implements packages.DownloadCounts.
func (s *Store) PackageDownloads(ctx context.Context, packageID int64, q packages.DownloadQuery, from int64) (total int64, last time.Time, days map[int64]int64, err error) {
	days = map[int64]int64{}
	tag := q.Tag.String()
	err = s.db.Snapshot(ctx, func(ctx context.Context, db database.Querier) error {
		switch {
		case q.VersionID != 0:
			var at sql.NullInt64
			err := db.QueryRow(ctx, `SELECT downloads, last_download_at FROM versions WHERE id = ? AND package_id = ? AND deleted_at IS NULL`,
				q.VersionID, packageID).Scan(&total, &at)
			if errors.Is(err, sql.ErrNoRows) {
				return errs.New(errs.NotFound, "the package has no version %d", q.VersionID)
			}
			if err != nil {
				return err
			}
			last = optionalTime(at)
			return queryDays(ctx, db, days, `SELECT day, CAST(SUM(count) AS BIGINT) FROM downloads
				WHERE package_id = ? AND version_id = ? AND day >= ? GROUP BY day`, packageID, q.VersionID, from)
		case tag != "":
			err := db.QueryRow(ctx, `SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) FROM downloads WHERE package_id = ? AND tag = ?`,
				packageID, tag).Scan(&total)
			if err != nil {
				return err
			}
			return queryDays(ctx, db, days, `SELECT day, CAST(SUM(count) AS BIGINT) FROM downloads
				WHERE package_id = ? AND tag = ? AND day >= ? GROUP BY day`, packageID, tag, from)
		}
		if err := db.QueryRow(ctx, `SELECT downloads FROM packages WHERE id = ?`, packageID).Scan(&total); err != nil {
			return err
		}
		return queryDays(ctx, db, days, `SELECT day, CAST(SUM(count) AS BIGINT) FROM downloads
			WHERE package_id = ? AND day >= ? AND tag <> '*' GROUP BY day`, packageID, from)
	})
	return total, last, days, err
}

func queryDays(ctx context.Context, q database.Querier, days map[int64]int64, query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var day, count int64
		if err := rows.Scan(&day, &count); err != nil {
			return err
		}
		days[day] = count
	}
	return rows.Err()
}
