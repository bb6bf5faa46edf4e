package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// Paths below an entity ID [DESIGN §3].
const (
	catalogPath = "/federation/catalog"
	chunkPath   = "/federation/chunk/"
)

// minRate is the slowest transfer waited for, in bytes a second.
const minRate = 32 << 10

var (
	errStatus  = errors.New("mirror: unexpected status")
	errMissing = errors.New("mirror: not found")
)

// fetcher makes the requests: only to paths of an entity ID, without
// redirects, each with a byte limit and a deadline, few at a time per host.
type fetcher struct {
	http   *http.Client
	limits Limits

	mu    sync.Mutex
	slots map[federation.EntityID]chan struct{} // guarded by mu; one for each member asked
}

func newFetcher(c *http.Client, l Limits) *fetcher {
	plain := *c
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	plain.Jar = nil
	return &fetcher{http: &plain, limits: l, slots: make(map[federation.EntityID]chan struct{})}
}

// manifest asks source for the sealed manifest of member. With an etag of
// what is held already, unchanged is reported instead.
func (f *fetcher) manifest(ctx context.Context, source, member federation.EntityID, held federation.Digest) (sealed string, unchanged bool, err error) {
	u := source.URL(catalogPath)
	if source != member {
		u += "?member=" + url.QueryEscape(string(member))
	}
	etag := ""
	if !held.IsZero() {
		etag = etagOf(held)
	}
	err = f.get(ctx, source, u, etag, f.limits.RequestTimeout, func(status int, body io.Reader) error {
		if status == http.StatusNotModified {
			unchanged = true
			return nil
		}
		b, err := readAll(body, catalog.MaxManifest)
		sealed = string(b)
		return err
	})
	return sealed, unchanged, err
}

// chunk fetches one group or chunk and compares it with its reference.
func (f *fetcher) chunk(ctx context.Context, source federation.EntityID, ref catalog.ChunkRef) (b []byte, err error) {
	u := source.URL(chunkPath + ref.Digest.String())
	err = f.get(ctx, source, u, "", f.limits.RequestTimeout, func(_ int, body io.Reader) error {
		b, err = readExactly(body, ref)
		return err
	})
	return b, err
}

// bundle fetches all groups and chunks of a manifest in one answer: in the
// order of the manifest, each digest once.
func (f *fetcher) bundle(ctx context.Context, source, member federation.EntityID, digest federation.Digest, m catalog.Manifest) (map[federation.Digest][]byte, error) {
	u := source.URL(catalogPath + "?bundle=" + digest.String())
	if source != member {
		u += "&member=" + url.QueryEscape(string(member))
	}
	got := make(map[federation.Digest][]byte)
	timeout := f.limits.RequestTimeout + time.Duration(f.limits.CatalogueBytes/minRate)*time.Second
	err := f.get(ctx, source, u, "", timeout, func(_ int, body io.Reader) error {
		var total int64
		take := func(ref catalog.ChunkRef) error {
			if _, twice := got[ref.Digest]; twice {
				return nil
			}
			if total += int64(ref.Size); total > f.limits.CatalogueBytes {
				return fmt.Errorf("%w: a catalogue of more than %d bytes", ErrTooLarge, f.limits.CatalogueBytes)
			}
			b, err := readPart(body, ref)
			got[ref.Digest] = b
			return err
		}
		for _, g := range m.Groups {
			if err := take(g); err != nil {
				return err
			}
		}
		for _, g := range m.Groups {
			refs, err := catalog.Refs(got[g.Digest])
			if err != nil {
				return fmt.Errorf("%w: %w", ErrContent, err)
			}
			for _, r := range refs {
				if err := take(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return got, err
}

// get makes one request and hands a 200 or 304 to read.
func (f *fetcher) get(ctx context.Context, source federation.EntityID, u, etag string, timeout time.Duration, read func(status int, body io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	release, err := f.slot(ctx, source)
	if err != nil {
		return fmt.Errorf("get from %s: %w", source, err)
	}
	defer release()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return fmt.Errorf("get from %s: %w", source, err)
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := f.http.Do(req)
	if err != nil {
		return fmt.Errorf("get from %s: %w", source, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && (etag == "" || res.StatusCode != http.StatusNotModified) {
		err := fmt.Errorf("get from %s: %w %d", source, errStatus, res.StatusCode)
		if res.StatusCode == http.StatusNotFound {
			err = fmt.Errorf("%w: %w", err, errMissing)
		}
		return err
	}
	if err := read(res.StatusCode, res.Body); err != nil {
		return fmt.Errorf("get from %s: %w", source, err)
	}
	return nil
}

// slot waits for one of the places at source.
func (f *fetcher) slot(ctx context.Context, source federation.EntityID) (release func(), err error) {
	f.mu.Lock()
	s := f.slots[source]
	if s == nil {
		s = make(chan struct{}, f.limits.PerHost)
		f.slots[source] = s
	}
	f.mu.Unlock()
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, most)
	}
	return b, err
}

// readExactly reads a whole body that must be the bytes of ref.
func readExactly(r io.Reader, ref catalog.ChunkRef) ([]byte, error) {
	b, err := readAll(r, int64(ref.Size))
	if err != nil {
		return nil, err
	}
	return b, compare(b, ref)
}

// readPart reads the next bytes of a body, which must be those of ref.
func readPart(r io.Reader, ref catalog.ChunkRef) ([]byte, error) {
	b := make([]byte, ref.Size) // at most catalog.MaxChunk, see catalog.Refs
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	return b, compare(b, ref)
}

func compare(b []byte, ref catalog.ChunkRef) error {
	if len(b) != ref.Size || federation.Sum(b) != ref.Digest {
		return fmt.Errorf("%w: chunk %s has other bytes than announced", ErrContent, ref.Digest.Short())
	}
	return nil
}

func etagOf(d federation.Digest) string { return `"` + d.String() + `"` }
