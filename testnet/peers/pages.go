//go:build peers

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// pages compares a result page that the node keeps in memory, already
// compressed, with nginx sending the very same bytes as a file.
func pages(ctx context.Context, o options, w io.Writer) error {
	o.dir = filepath.Join(o.dir, "pages")
	if err := os.Mkdir(o.dir, 0o755); err != nil {
		return err
	}
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
	base, _, _ := strings.Cut(node.url, "/routing-api/")
	node.name, node.url = "node, a result page", base+"/suche?q=Auto+abmelden&ort="+askedPlace
	node.headers = []string{"Accept-Encoding: gzip"}
	page, err := compressed(ctx, node.url)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.dir, "www", "page.html"), page, 0o644); err != nil {
		return err
	}
	nginx.name, nginx.url, nginx.headers = "nginx, the same bytes as a file", strings.TrimSuffix(nginx.url, "file.json")+"page.html", node.headers
	servers := []*server{nginx, node}
	for range min(3, o.rounds) {
		for _, s := range servers {
			if err := s.load(ctx); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	fmt.Fprintf(w, "\n### Pages\n\n`wrk` with 2 threads and 32 connections on the same cores, %d seconds each, in turns: a result page of %d bytes, compressed. The node draws it anew every ten seconds.\n", wrkSeconds, len(page))
	fmt.Fprintf(w, "\n| | requests a second | processor time a request |\n|---|---|---|\n")
	for _, s := range servers {
		fmt.Fprintf(w, "| %s | %.0f | %s µs |\n", s.name, s.rate(), micro(s.each()))
	}
	rate := node.rate() / nginx.rate()
	fmt.Fprintf(w, "\n| target | |\n|---|---|\n| ≥ 0.4 × the requests of nginx | %.2f × : %s |\n", rate, verdict(rate >= 0.4))
	return nil
}

// compressed fetches a page as a browser gets it, twice: the second answer
// comes from memory.
func compressed(ctx context.Context, url string) ([]byte, error) {
	var page []byte
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Accept-Encoding", "gzip") // set by hand: the transport leaves the body as it is
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		page, err = io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("ETag") == "" {
			return nil, fmt.Errorf("%w: the node answers %d, encoding %q, ETag %q", errWrk, res.StatusCode, res.Header.Get("Content-Encoding"), res.Header.Get("ETag"))
		}
	}
	return page, nil
}
