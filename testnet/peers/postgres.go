//go:build peers

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"rathausnetz/federation/directory/directorytest"
)

// cluster is a PostgreSQL server of its own, reached by a Unix socket.
type cluster struct {
	dir  string
	pid  int
	conn *pgx.Conn
}

var errNoPostgres = errors.New("no PostgreSQL server is installed")

// startCluster makes and starts a server; it refuses to run as root, so root
// runs it as the user that its package has made.
func startCluster(ctx context.Context, dir string) (*cluster, error) {
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(bins) == 0 {
		return nil, errNoPostgres
	}
	slices.Sort(bins)
	bin := filepath.Dir(bins[len(bins)-1])
	c := &cluster{dir: filepath.Join(dir, "postgres")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return nil, err
	}
	name, attr := "", &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(c.dir, uid, gid); err != nil {
			return nil, err
		}
		name, attr.Credential = "postgres", &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(c.dir, "data"), "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = attr, c.dir
	if b, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, b)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses=",
		"-c", "shared_buffers=2GB", "-c", "work_mem=64MB", "-c", "maintenance_work_mem=512MB", "-c", "max_wal_size=8GB", "-c", "synchronous_commit=off", "-c", "logging_collector=off", "-c", "log_min_messages=fatal", "-c", "jit=off")
	server.SysProcAttr, server.Dir = attr, c.dir
	if err := server.Start(); err != nil {
		return nil, err
	}
	c.pid = server.Process.Pid
	err = await(ctx, func() (err error) {
		c.conn, err = pgx.Connect(ctx, "host="+c.dir+" dbname=postgres user="+orUser(name))
		return err
	})
	return c, err
}

func orUser(name string) string {
	if name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "postgres"
}

// processes are the server process of the connection: the others only wait.
func (c *cluster) processes() []int { return []int{int(c.conn.PgConn().PID())} }

func (c *cluster) close() {
	if c.conn != nil {
		_ = c.conn.Close(context.Background())
	}
	if c.pid != 0 {
		if p, err := os.FindProcess(c.pid); err == nil {
			_ = p.Signal(syscall.SIGINT) // fast shutdown
			_, _ = p.Wait()
		}
	}
	_ = os.RemoveAll(c.dir)
}

func (c *cluster) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := c.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", strings.Fields(s)[0], err)
		}
	}
	return nil
}

// postgres keeps the claims in a table with an index that holds the answer.
type postgres struct {
	dir string
	*cluster
}

func newPostgres(dir string) *postgres { return &postgres{dir: dir} }

const postgresQuestion = `SELECT member FROM claim WHERE leika = $1 AND area IN ($2, $3, $4, $5, $6, $7) ORDER BY area & 15 DESC LIMIT 1`

func (p *postgres) load(ctx context.Context, claims []claim) (took time.Duration, err error) {
	if p.cluster, err = startCluster(ctx, p.dir); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := p.exec(ctx, `CREATE UNLOGGED TABLE claim (leika bigint, area bigint, member int, offer int)`); err != nil {
		return 0, err
	}
	_, err = p.conn.CopyFrom(ctx, pgx.Identifier{"claim"}, []string{"leika", "area", "member", "offer"}, pgx.CopyFromSlice(len(claims), func(i int) ([]any, error) {
		c := &claims[i]
		return []any{c.leika, c.area, c.member, c.offer}, nil
	}))
	if err != nil {
		return 0, err
	}
	if err := p.exec(ctx, `CREATE INDEX ON claim (leika, area) INCLUDE (member, offer)`); err != nil {
		return 0, err
	}
	took = time.Since(start)
	return took, p.exec(ctx, `VACUUM ANALYZE claim`)
}

func (p *postgres) ask(ctx context.Context, questions []directorytest.Question, out []int32) ([]int32, error) {
	for _, q := range questions {
		l := levels(q.Place)
		member := int32(-1)
		err := p.conn.QueryRow(ctx, postgresQuestion, key(q.Leika), l[0], l[1], l[2], l[3], l[4], l[5]).Scan(&member)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return out, err
		}
		out = append(out, member)
	}
	return out, nil
}

func (p *postgres) bytes(ctx context.Context) (n int64) {
	if p.conn.QueryRow(ctx, `SELECT pg_total_relation_size('claim')`).Scan(&n) != nil {
		return 0
	}
	return n
}

func (p *postgres) processes() []int {
	if p.cluster == nil {
		return nil
	}
	return p.cluster.processes()
}

func (p *postgres) close() {
	if p.cluster != nil {
		p.cluster.close()
	}
}
