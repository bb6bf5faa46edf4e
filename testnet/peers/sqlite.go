//go:build peers

package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver names itself

	"rathausnetz/federation/directory/directorytest"
)

// sqlite keeps the claims in one table clustered by key and area, as the
// question wants them.
type sqlite struct {
	path string
	db   *sql.DB
	stmt *sql.Stmt
}

func newSQLite(dir string) *sqlite { return &sqlite{path: filepath.Join(dir, "claims.sqlite")} }

const sqliteQuestion = `SELECT member FROM claim WHERE leika = ? AND area IN (?, ?, ?, ?, ?, ?) ORDER BY area & 15 DESC LIMIT 1`

func (s *sqlite) load(ctx context.Context, claims []claim) (time.Duration, error) {
	start := time.Now()
	var err error
	if s.db, err = sql.Open("sqlite3", s.path+"?_journal_mode=OFF&_synchronous=OFF&_cache_size=-1000000&_mmap_size=2000000000"); err != nil {
		return 0, err
	}
	s.db.SetMaxOpenConns(1)
	if _, err := s.db.ExecContext(ctx, `CREATE TABLE claim (leika INTEGER, area INTEGER, member INTEGER, offer INTEGER, PRIMARY KEY (leika, area, member, offer)) WITHOUT ROWID`); err != nil {
		return 0, err
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO claim VALUES (?, ?, ?, ?)`)
	if err != nil {
		return 0, errors.Join(err, tx.Rollback())
	}
	for _, c := range claims {
		if _, err := insert.ExecContext(ctx, c.leika, c.area, c.member, c.offer); err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	took := time.Since(start)
	s.stmt, err = s.db.PrepareContext(ctx, sqliteQuestion)
	return took, err
}

func (s *sqlite) ask(_ context.Context, questions []directorytest.Question, out []int32) ([]int32, error) {
	for _, q := range questions {
		l := levels(q.Place)
		member := int32(-1)
		// Without a context the driver needs no goroutine to watch it.
		err := s.stmt.QueryRow(key(q.Leika), l[0], l[1], l[2], l[3], l[4], l[5]).Scan(&member)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return out, err
		}
		out = append(out, member)
	}
	return out, nil
}

func (s *sqlite) bytes(context.Context) int64 {
	info, err := os.Stat(s.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (s *sqlite) processes() []int { return nil }

func (s *sqlite) close() {
	if s.db != nil {
		_ = s.db.Close()
		_ = os.Remove(s.path)
	}
}
