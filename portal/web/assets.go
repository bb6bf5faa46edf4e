package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"

	"rathausnetz/portal/web/brand"
)

// assets are the municipality's own files: colours, Wappen, title image.
type assets map[string]asset

type asset struct {
	contentType string
	body        []byte
	hash        string
}

// The names under which the portal serves them.
const (
	brandCSS   = "marke.css"
	brandCoat  = "wappen"
	brandTitle = "titelbild"
)

func loadAssets(b *brand.Brand) (assets, error) {
	out := assets{}
	add := func(name, ct string, body []byte) {
		sum := sha256.Sum256(body)
		out[name] = asset{contentType: ct, body: body, hash: hex.EncodeToString(sum[:6])}
	}
	add(brandCSS, "text/css; charset=utf-8", []byte(b.CSS()))
	for name, img := range map[string]*brand.Image{brandCoat: &b.Wappen, brandTitle: &b.Title} {
		if img.IsZero() {
			continue
		}
		clean, err := brand.Sanitise(*img)
		if err != nil {
			return nil, err
		}
		add(name, clean.Type, clean.Data)
	}
	return out, nil
}

func (a assets) url(name string) string {
	f, ok := a[name]
	if !ok {
		return ""
	}
	if name == brandCSS {
		return "/marke.css?v=" + f.hash
	}
	return "/marke/" + name + "?v=" + f.hash
}

// Marke is "/marke.css": the colours that follow from the main colour.
func (w *Web) Marke(rw http.ResponseWriter, r *http.Request) { w.asset(rw, r, brandCSS) }

// Wappen is "/marke/wappen".
func (w *Web) Wappen(rw http.ResponseWriter, r *http.Request) { w.asset(rw, r, brandCoat) }

// Titelbild is "/marke/titelbild".
func (w *Web) Titelbild(rw http.ResponseWriter, r *http.Request) { w.asset(rw, r, brandTitle) }

func (w *Web) asset(rw http.ResponseWriter, r *http.Request, name string) {
	f, ok := w.look.Load().marks[name]
	if !ok {
		http.NotFound(rw, r)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", f.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	// A picture opened on its own must not be able to do anything.
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
	h.Set("ETag", `"`+f.hash+`"`)
	if r.URL.Query().Get("v") == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
	}
	if matches(r.Header.Get("If-None-Match"), `"`+f.hash+`"`) {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	_, _ = rw.Write(f.body) // the reader has gone: nothing to do
}

// Static is "/static/": the portal's own design files.
func (w *Web) Static(rw http.ResponseWriter, r *http.Request) { w.files.ServeHTTP(rw, r) }
