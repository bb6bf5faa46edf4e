//go:build peers

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rathausnetz/testnet/data"
)

// server is one end of the comparison.
type server struct {
	name     string
	url      string
	headers  []string // "Name: value"
	pids     func() []int
	rates    []float64
	requests int
	cpu      time.Duration
}

const wrkSeconds = 5

func requests(ctx context.Context, o options, w io.Writer) error {
	nginx, stopNginx, err := startNginx(ctx, o.dir)
	if err != nil {
		return err
	}
	defer stopNginx()
	node, stopNode, err := startNode(ctx, o)
	if err != nil {
		return err
	}
	defer stopNode()
	size, err := answerSize(ctx, node.url)
	if err != nil {
		return err
	}
	servers := []*server{nginx, node}
	for range min(3, o.rounds) {
		for _, s := range servers {
			if err := s.load(ctx); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	requestsTable(w, size, nginx, node)
	return nil
}

func requestsTable(w io.Writer, size int, nginx, node *server) {
	fmt.Fprintf(w, "\n### HTTP\n\n`wrk` with 2 threads and 32 connections on the same cores, %d seconds each, in turns. The node answers `GET /routing-api/v2/routes` (%d bytes) through all its handlers.\n", wrkSeconds, size)
	fmt.Fprintf(w, "\n| | requests a second | processor time a request |\n|---|---|---|\n")
	for _, s := range []*server{nginx, node} {
		fmt.Fprintf(w, "| %s | %.0f | %s µs |\n", s.name, s.rate(), micro(s.each()))
	}
	rate, cpu := node.rate()/nginx.rate(), ratio(node.each(), nginx.each())
	fmt.Fprintf(w, "\n| target | |\n|---|---|\n| ≥ 0.6 × the requests of nginx | %.2f × : %s |\n| ≤ 2.0 × its processor time a request | %.2f × : %s |\n",
		rate, verdict(rate >= 0.6), cpu, verdict(cpu <= 2))
}

// rate is the best of the rounds.
func (s *server) rate() float64 {
	best := 0.0
	for _, r := range s.rates {
		best = max(best, r)
	}
	return best
}

func (s *server) each() time.Duration { return s.cpu / time.Duration(max(1, s.requests)) }

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkRate     = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	wrkErrors   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)`)
	errWrk      = errors.New("wrk")
)

func (s *server) load(ctx context.Context) error {
	before := s.used()
	args := []string{"-t2", "-c32", "-d" + strconv.Itoa(wrkSeconds) + "s"}
	for _, h := range s.headers {
		args = append(args, "-H", h)
	}
	b, err := exec.CommandContext(ctx, "wrk", append(args, s.url)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %w: %s", errWrk, err, b)
	}
	s.cpu += s.used() - before
	count, rate := wrkRequests.FindSubmatch(b), wrkRate.FindSubmatch(b)
	if bad := wrkErrors.Find(b); bad != nil || count == nil || rate == nil {
		return fmt.Errorf("%w: %s", errWrk, b)
	}
	n, err := strconv.Atoi(string(count[1]))
	if err != nil {
		return err
	}
	r, err := strconv.ParseFloat(string(rate[1]), 64)
	if err != nil {
		return err
	}
	s.requests += n
	s.rates = append(s.rates, r)
	return nil
}

func (s *server) used() (sum time.Duration) {
	for _, pid := range s.pids() {
		sum += processTime(pid)
	}
	return sum
}

func answerSize(ctx context.Context, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(b), `"count":1`)) {
		err = fmt.Errorf("%w: the node answers %d %s", errWrk, res.StatusCode, b)
	}
	return len(b), err
}

const nginxConf = `daemon off; master_process on; worker_processes 2; error_log stderr error; pid %[1]s/nginx.pid;
events { worker_connections 1024; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  open_file_cache max=100; server { listen 127.0.0.1:%[2]d; root %[1]s/www; } }
`

func startNginx(ctx context.Context, dir string) (*server, func(), error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "www"), 0o755); err != nil {
		return nil, nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	for name, text := range map[string]string{conf: fmt.Sprintf(nginxConf, dir, port), filepath.Join(dir, "www", "file.json"): strings.Repeat("x", 2048)} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return nil, nil, err
		}
	}
	pid, stop, err := daemon("nginx", "-c", conf)
	if err != nil {
		return nil, nil, err
	}
	s := &server{name: "nginx, a file of 2 KB", url: fmt.Sprintf("http://127.0.0.1:%d/file.json", port), pids: func() []int { return family(pid) }}
	return s, stop, await(ctx, func() error { return up(ctx, s.url) })
}

func up(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s answers %s", errWrk, url, res.Status)
	}
	return nil
}

// The question that the node answers over and over: the Landkreis answers for
// one of its Gemeinden.
const (
	askedKey   = "99036026017000"
	askedPlace = "034590012012"
)

// startNode runs the product itself: a hub with nothing but the
// demonstration's catalogue of the Landkreis, set up as an operator would.
func startNode(ctx context.Context, o options) (*server, func(), error) {
	port, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	gossip, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	base := "http://landkreis.localhost:" + strconv.Itoa(port)
	dir, catalogue := filepath.Join(o.dir, "node"), filepath.Join(o.dir, "catalogue")
	if err := writeCatalogue(catalogue, base); err != nil {
		return nil, nil, err
	}
	for name, value := range map[string]string{"API_PER_MINUTE": "-1", "LINKS_EVERY": "0s", "LOG_LEVEL": "error", "GOSSIP_BIND": "127.0.0.1:" + strconv.Itoa(gossip), "CATALOG_SOURCE": catalogue} {
		if err := os.Setenv("RATHAUSNETZ_"+name, value); err != nil {
			return nil, nil, err
		}
	}
	b, err := exec.CommandContext(ctx, o.node, "init", "--hub", "--area", "03459", "--entity", base, "--loopback-http",
		"--name", "Landkreis Osnabrück", "--listen", "127.0.0.1:"+strconv.Itoa(port), dir).CombinedOutput()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s", err, b)
	}
	pid, stop, err := daemon(o.node, "serve", "-c", filepath.Join(dir, "node.yaml"))
	if err != nil {
		return nil, nil, err
	}
	q := url.Values{"leikaKey": {askedKey}, "ars": {askedPlace}}
	s := &server{name: "node", url: fmt.Sprintf("http://127.0.0.1:%d/routing-api/v2/routes?%s", port, q.Encode()), pids: func() []int { return []int{pid} }}
	return s, stop, await(ctx, func() error { _, err := answerSize(ctx, s.url); return err })
}

func writeCatalogue(dir, base string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := fs.Sub(data.FS, "landkreis")
	if err != nil {
		return err
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".xml" && ext != ".txt" {
			continue
		}
		b, err := fs.ReadFile(files, e.Name())
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(b), "https://landkreis."+data.PlaceholderHost, base)
		if err := os.WriteFile(filepath.Join(dir, e.Name()), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
