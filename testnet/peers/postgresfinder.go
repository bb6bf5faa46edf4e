//go:build peers

package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"rathausnetz/federation/region"
)

// postgresFinder searches with the German text search and with trigrams, as
// the manual recommends, among what is offered at the place.
type postgresFinder struct {
	dir string
	*cluster
}

const postgresSearch = `
SELECT s.leika, s.title
FROM service s
WHERE (s.words @@ websearch_to_tsquery('german', $1) OR s.title % $1)
  AND EXISTS (SELECT 1 FROM offer o WHERE o.service = s.id AND o.area = ANY ($2))
ORDER BY ts_rank(s.words, websearch_to_tsquery('german', $1)) + similarity(s.title, $1) DESC, s.title
LIMIT 20`

func (p *postgresFinder) load(ctx context.Context, s *stock) (took time.Duration, err error) {
	if p.cluster, err = startCluster(ctx, p.dir); err != nil {
		return 0, err
	}
	start := time.Now()
	err = p.exec(ctx, `CREATE EXTENSION pg_trgm`,
		`CREATE TABLE service (id int PRIMARY KEY, leika bigint, title text, words tsvector)`,
		`CREATE TABLE offer (area bigint, service int)`,
		`CREATE TEMPORARY TABLE raw (id int, leika bigint, title text, synonyms text, body text)`)
	if err != nil {
		return 0, err
	}
	_, err = p.conn.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"id", "leika", "title", "synonyms", "body"}, pgx.CopyFromSlice(len(s.services), func(i int) ([]any, error) {
		x := &s.services[i]
		return []any{i, int64(x.leika), x.title, x.synonyms, x.text}, nil
	}))
	if err != nil {
		return 0, err
	}
	rows := make([][]any, 0, s.offers)
	for area, list := range s.offered {
		for _, no := range list {
			rows = append(rows, []any{area, no})
		}
	}
	if _, err := p.conn.CopyFrom(ctx, pgx.Identifier{"offer"}, []string{"area", "service"}, pgx.CopyFromRows(rows)); err != nil {
		return 0, err
	}
	err = p.exec(ctx,
		`INSERT INTO service SELECT id, leika, title, setweight(to_tsvector('german', title), 'A') || setweight(to_tsvector('german', synonyms), 'B') || setweight(to_tsvector('german', body), 'D') FROM raw`,
		`CREATE INDEX ON service USING gin (words)`, `CREATE INDEX ON service USING gin (title gin_trgm_ops)`, `CREATE INDEX ON offer (service, area)`)
	took = time.Since(start)
	if err == nil {
		err = p.exec(ctx, `VACUUM ANALYZE service`, `VACUUM ANALYZE offer`)
	}
	return took, err
}

func (p *postgresFinder) find(ctx context.Context, text string, place region.Area) (int, error) {
	l := levels(place)
	rows, err := p.conn.Query(ctx, postgresSearch, text, l[:])
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var key int64
		var title string
		if err := rows.Scan(&key, &title); err != nil {
			return 0, err
		}
		n++
	}
	return n, rows.Err()
}

func (p *postgresFinder) close() {
	if p.cluster != nil {
		p.cluster.close()
	}
}
