package mirror

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"rathausnetz/federation"
)

func TestHandlers(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").open()
	a := owner.publish(10)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	r := owner.record(owner.id)
	var some federation.Digest
	for some = range r.chunks {
		break
	}
	base, other := owner.server.URL, holder.server.URL+catalogPath+"?member="+url.QueryEscape(string(owner.id))
	for name, c := range map[string]struct {
		url, etag string
		status    int
		body      string
		cache     string
	}{
		"own manifest":         {url: base + catalogPath, status: 200, body: r.sealed, cache: "no-cache"},
		"unchanged":            {url: base + catalogPath, etag: etagOf(a.Manifest), status: 304, cache: "no-cache"},
		"unchanged, weak":      {url: base + catalogPath, etag: `"x", W/` + etagOf(a.Manifest), status: 304, cache: "no-cache"},
		"changed":              {url: base + catalogPath, etag: `"x"`, status: 200, body: r.sealed, cache: "no-cache"},
		"mirrored manifest":    {url: other, status: 200, body: r.sealed, cache: "no-cache"},
		"unknown member":       {url: base + catalogPath + "?member=https://nobody.example", status: 404, cache: "no-store"},
		"nothing published":    {url: holder.server.URL + catalogPath, status: 404, cache: "no-store"},
		"chunk":                {url: base + chunkPath + some.String(), status: 200, cache: immutable},
		"chunk again":          {url: base + chunkPath + some.String(), etag: etagOf(some), status: 304, cache: immutable},
		"chunk not held":       {url: base + chunkPath + federation.Sum(nil).String(), status: 404, cache: "no-store"},
		"not a digest":         {url: base + chunkPath + "..", status: 400, cache: "no-store"},
		"bundle":               {url: base + catalogPath + "?bundle=" + a.Manifest.String(), status: 200, cache: immutable},
		"bundle of a mirror":   {url: other + "&bundle=" + a.Manifest.String(), status: 200, cache: immutable},
		"bundle of an old one": {url: base + catalogPath + "?bundle=" + some.String(), status: 404, cache: "no-store"},
	} {
		res, body := get(t, n, c.url, "If-None-Match", c.etag)
		if res.StatusCode != c.status || res.Header.Get("Cache-Control") != c.cache || c.body != "" && body != c.body {
			t.Errorf("%s: %d %q, %d bytes", name, res.StatusCode, res.Header.Get("Cache-Control"), len(body))
		}
		if c.status == 200 && c.etag == "" && c.body == "" && name == "chunk" && federation.Sum([]byte(body)) != some {
			t.Errorf("%s: other bytes", name)
		}
	}
	for _, h := range []http.Handler{owner.CatalogHandler(), owner.ChunkHandler(), owner.MirrorHandler()} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("POST: %d", w.Code)
		}
	}
}

func TestMirrorHandlerListsWhatIsHeld(t *testing.T) {
	n := newNet(t)
	owner, holder := n.member("owner").open(), n.member("holder").open()
	a := owner.publish(10)
	if err := holder.pull(t.Context(), owner.id, nil); err != nil {
		t.Fatal(err)
	}
	_, body := get(t, n, holder.server.URL+"/federation/mirror")
	var got struct{ Held []Held }
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Held) != 1 || got.Held[0].Manifest != a.Manifest || got.Held[0].State != StateFresh {
		t.Errorf("%s, %v", body, err)
	}
}
