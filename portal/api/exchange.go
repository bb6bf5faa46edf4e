package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/xzufi"
)

// Where the XZuFi 2.2 files lie: those of the own stock, and those of
// everything the network offers. Each folder has an index.txt that names the
// others, as collectors of editorial systems want it [DESIGN §7].
const (
	PathXZuFi   = "/xzufi/"
	PathVerbund = "/xzufi/verbund/"
)

// defaultExport is how many offers an export has at most: a Landkreis has some
// 15,000, and all of it is in memory at once.
const defaultExport = 60_000

// exchange makes the files of one export and keeps them until the catalogues
// change.
type exchange struct {
	mu    sync.Mutex
	from  []*catalog.Catalogue // guarded by mu
	files map[string]answer    // guarded by mu
}

// errTooMany is an export that would not fit into memory.
var errTooMany = errors.New("api: too many offers for one export")

// file returns one file of the export of list, which is ordered. Only one
// export is made at a time.
func (x *exchange) file(self federation.EntityID, list []*catalog.Catalogue, most int, name string) (answer, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.files == nil || !slices.Equal(x.from, list) {
		files, err := export(self, list, most)
		if err != nil {
			return answer{}, err
		}
		x.from, x.files = list, files
	}
	return x.files[name], nil
}

func export(self federation.EntityID, list []*catalog.Catalogue, most int) (map[string]answer, error) {
	offers := 0
	for _, c := range list {
		offers += len(c.Offers)
	}
	if offers > most {
		return nil, fmt.Errorf("%w: %d, at most %d", errTooMany, offers, most)
	}
	files, err := xzufi.Files(xzufi.Combine(self, list))
	if err != nil {
		return nil, err
	}
	out := map[string]answer{}
	for _, f := range files {
		x := answer{contentType: "application/xml; charset=utf-8", body: f.Data, etag: `"` + federation.Sum(f.Data).String() + `"`}
		if strings.HasSuffix(f.Name, ".txt") {
			x.contentType = "text/plain; charset=utf-8"
		}
		x.header = x.values()
		out[f.Name] = x
	}
	return out, nil
}

// exchangeHandlers are the handlers of both folders by path.
func (a *API) exchangeHandlers() map[string]http.Handler {
	out := map[string]http.Handler{}
	own := func() []*catalog.Catalogue {
		return slices.DeleteFunc(a.directory.Catalogues(), func(c *catalog.Catalogue) bool { return c.Member != a.self })
	}
	for _, name := range xzufi.FileNames() {
		out[PathXZuFi+name] = a.exchangeFile(&a.own, own, name)
		out[PathVerbund+name] = a.exchangeFile(&a.verbund, a.directory.Catalogues, name)
	}
	return out
}

// exchangeFile serves one file. Without a catalogue there is none: an empty
// index would tell a collector that everything was deleted.
func (a *API) exchangeFile(x *exchange, list func() []*catalog.Catalogue, name string) http.Handler {
	return a.limited(func(r *http.Request) answer {
		catalogues := list()
		if len(catalogues) == 0 {
			return problem(http.StatusNotFound, "no-catalogue", "Kein Katalog", "Hier ist noch kein Katalog veröffentlicht.").answer()
		}
		file, err := x.file(a.self, catalogues, a.mostExport, name)
		switch {
		case errors.Is(err, errTooMany):
			a.log.WarnContext(r.Context(), "export refused", "err", err)
			return problem(http.StatusServiceUnavailable, "export-too-large", "Export zu groß", "Dieser Verbund hat mehr Leistungen, als ein Export fassen kann. Rufen Sie die Portale einzeln ab.").answer()
		case err != nil:
			a.log.ErrorContext(r.Context(), "request failed", "url", r.URL.Path, "err", err)
			return problem(http.StatusInternalServerError, "internal", "Interner Fehler", "Der Fehler liegt bei uns.").answer()
		}
		return file
	})
}
