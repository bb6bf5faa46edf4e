package mirror

import (
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation"
)

// servedBundles is how many whole catalogues are sent at a time; others are
// asked to come back.
const servedBundles = 32

const (
	manifestMedia = "application/catalog-manifest+jwt"
	bytesMedia    = "application/octet-stream"
	// immutable is for what is named by its digest.
	immutable = "public, max-age=31536000, immutable"
)

// CatalogHandler serves GET {entity}/federation/catalog [DESIGN §3]: the own
// sealed manifest with its digest as ETag; with ?member= that of another
// member as it was sealed; with ?bundle=DIGEST all groups and chunks of that
// manifest in its order, each digest once.
func (m *Mirror) CatalogHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !reading(w, req) {
			return
		}
		query := req.URL.Query()
		id := m.cfg.Self
		if s := query.Get("member"); s != "" {
			id = federation.EntityID(s)
		}
		r := m.record(id)
		if r.sealed == "" || id != m.cfg.Self && r.unpacked == nil {
			refuse(w, http.StatusNotFound, "not_found", "no catalogue of this member is held here")
			return
		}
		if s := query.Get("bundle"); s != "" {
			m.serveBundle(w, req, r, s)
			return
		}
		serve(w, req, manifestMedia, "no-cache", r.pointer.Manifest, []byte(r.sealed))
	})
}

// ChunkHandler serves GET {entity}/federation/chunk/{digest}: one group or
// chunk of any catalogue held here. The digest is the last element of the path.
func (m *Mirror) ChunkHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !reading(w, req) {
			return
		}
		d, err := federation.ParseDigest(path.Base(req.URL.Path))
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid_request", "the path must end with a digest of 64 hex digits")
			return
		}
		l, ok := m.find(d)
		if !ok {
			refuse(w, http.StatusNotFound, "not_found", "no such chunk is held here")
			return
		}
		b, err := m.disk.read(l)
		if err != nil {
			m.log.Error("chunk not readable", "digest", d.Short(), "err", err)
			refuse(w, http.StatusInternalServerError, "server_error", "the chunk cannot be read")
			return
		}
		serve(w, req, bytesMedia, immutable, d, b)
	})
}

// Held is one line of MirrorHandler.
type Held struct {
	Member   federation.EntityID `json:"member"`
	Serial   uint64              `json:"serial"`
	Manifest federation.Digest   `json:"manifest"`
	Bytes    int64               `json:"bytes"`
	Checked  time.Time           `json:"checked"`
	State    State               `json:"state"`
}

// MirrorHandler serves GET {entity}/federation/mirror: what is held here of
// all members, as JSON.
func (m *Mirror) MirrorHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !reading(w, req) {
			return
		}
		list := []Held{}
		for _, c := range m.Copies() {
			if c.State != StateNone {
				list = append(list, Held{c.Member.ID, c.Serial, c.Digest, c.Bytes, c.Checked.UTC(), c.State})
			}
		}
		b, err := json.Marshal(struct {
			Held []Held `json:"held"`
		}{list})
		if err != nil {
			refuse(w, http.StatusInternalServerError, "server_error", "")
			return
		}
		serve(w, req, "application/json", "no-cache", federation.Sum(b), b)
	})
}

// find looks for a digest among all that may be served.
func (m *Mirror) find(d federation.Digest) (location, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if own := m.records[m.cfg.Self]; own != nil {
		if l, ok := own.chunks[d]; ok {
			return l, true
		}
	}
	for _, r := range m.records {
		if l, ok := r.chunks[d]; ok && r.unpacked != nil {
			return l, true
		}
	}
	return location{}, false
}

func (m *Mirror) serveBundle(w http.ResponseWriter, req *http.Request, r *record, digest string) {
	if digest != r.pointer.Manifest.String() {
		refuse(w, http.StatusNotFound, "not_found", "this manifest is not the current one")
		return
	}
	select {
	case m.serving <- struct{}{}:
		defer func() { <-m.serving }()
	default:
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable", "too many catalogues are being sent")
		return
	}
	places, size, err := m.bundle(r)
	if err != nil {
		m.log.Error("bundle not readable", "peer", string(r.pointer.Member), "err", err)
		refuse(w, http.StatusInternalServerError, "server_error", "the catalogue cannot be read")
		return
	}
	h := w.Header()
	h.Set("Content-Type", bytesMedia)
	h.Set("Cache-Control", immutable)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	if req.Method == http.MethodHead {
		return
	}
	reader := m.disk.reader()
	defer reader.close()
	for _, l := range places {
		b, err := reader.read(l)
		if err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			// The length was promised, so the receiver sees the breach.
			m.log.Debug("bundle broken off", "peer", string(r.pointer.Member), "err", err)
			return
		}
	}
}

// bundle lists the places of all groups and chunks in the order of the
// manifest, each once.
func (m *Mirror) bundle(r *record) (places []location, size int64, err error) {
	man, err := peekManifest(r.sealed, r.pointer.Member)
	if err != nil {
		return nil, 0, err
	}
	groups, chunks, err := man.Walk(m.lookup(nil, r.chunks))
	if err != nil {
		return nil, 0, err
	}
	seen := make(map[federation.Digest]bool)
	for _, ref := range append(groups[:len(groups):len(groups)], chunks...) {
		if !seen[ref.Digest] {
			seen[ref.Digest] = true
			places = append(places, r.chunks[ref.Digest])
			size += int64(ref.Size)
		}
	}
	return places, size, nil
}

// serve answers with b, or with 304 if the client has it already.
func serve(w http.ResponseWriter, req *http.Request, media, cache string, d federation.Digest, b []byte) {
	h := w.Header()
	h.Set("ETag", etagOf(d))
	h.Set("Cache-Control", cache)
	h.Set("X-Content-Type-Options", "nosniff")
	if matches(req.Header.Get("If-None-Match"), etagOf(d)) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if req.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(b) // an error here is the client's going away
}

func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if p := strings.TrimPrefix(strings.TrimSpace(part), "W/"); p == etag || p == "*" {
			return true
		}
	}
	return false
}

// reading answers everything but GET and HEAD.
func reading(w http.ResponseWriter, req *http.Request) bool {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	refuse(w, http.StatusMethodNotAllowed, "invalid_request", "only GET and HEAD")
	return false
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	b, err := json.Marshal(map[string]string{"error": code, "error_description": description})
	if err == nil {
		_, _ = io.WriteString(w, string(b)+"\n") // see serve
	}
}
