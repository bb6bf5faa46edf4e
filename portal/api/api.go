package api

import (
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/region"
)

// ErrConfig is wrapped by every refusal of New.
var ErrConfig = errors.New("api: incomplete configuration")

//go:embed openapi.yaml
var openAPI []byte

// The paths of Handlers.
const (
	PathRoutes    = "/routing-api/v2/routes"
	PathAreas     = "/routing-api/v2/areas"
	PathInfo      = "/routing-api/v2/info"
	PathSearch    = "/api/v1/search"
	PathSuggest   = "/api/v1/suggest"
	PathResolve   = "/api/v1/resolve"
	PathOffers    = "/api/v1/offers"
	PathMembers   = "/api/v1/members"
	PathCoverage  = "/api/v1/coverage"
	PathConflicts = "/api/v1/conflicts"
	PathOpenAPI   = "/api/openapi.yaml"
)

// Config configures an API.
type Config struct {
	Self       federation.EntityID
	Directory  *directory.Directory
	Register   *region.Register
	Neighbours Neighbours // nil: only places of the own network are answered for
	// Seal signs the claims of an Advert as a compact JWS of this type with
	// the node's key, as trust.Sign does. nil leaves destinationSignature
	// empty.
	Seal func(typ string, claims any) (string, error)
	// PerMinute is how many requests one client may make in a minute; 0 is
	// 6000, negative is without limit.
	PerMinute int
	// MostExport is how many offers an XZuFi export has at most; 0 is 60,000.
	MostExport int
	// Client tells clients apart; nil is the address of the connection. A
	// portal behind a proxy says here which header it trusts.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
	Log    *slog.Logger
}

// API holds the handlers. They may be used concurrently.
type API struct {
	self       federation.EntityID
	directory  *directory.Directory
	register   *region.Register
	neighbours Neighbours
	seal       func(string, any) (string, error)
	now        func() time.Time
	log        *slog.Logger
	limit      *limiter
	cache      *cache
	adverts    *adverts
	areas      []areaEntry

	mostExport   int
	own, verbund exchange
}

// New checks cfg and returns the handlers. It does no I/O.
func New(cfg Config) (*API, error) {
	if cfg.Directory == nil || cfg.Register == nil || cfg.Self == "" {
		return nil, fmt.Errorf("%w: Self, Directory and Register are needed", ErrConfig)
	}
	a := &API{
		neighbours: cfg.Neighbours, self: cfg.Self, directory: cfg.Directory, register: cfg.Register,
		seal: cfg.Seal, now: cfg.Now, log: cfg.Log,
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.limit = newLimiter(cfg.PerMinute, cfg.Client, a.now)
	a.cache, a.adverts = newCache(), newAdverts()
	a.mostExport = cfg.MostExport
	if a.mostExport == 0 {
		a.mostExport = defaultExport
	}
	a.areas = listAreas(cfg.Register)
	return a, nil
}

// Handlers returns every handler by its path.
func (a *API) Handlers() map[string]http.Handler {
	out := map[string]http.Handler{
		PathRoutes:    a.Routes(),
		PathAreas:     a.Areas(),
		PathInfo:      a.Info(),
		PathSearch:    a.Search(),
		PathSuggest:   a.Suggest(),
		PathResolve:   a.Resolve(),
		PathOffers:    a.Offers(),
		PathMembers:   a.Members(),
		PathCoverage:  a.Coverage(),
		PathConflicts: a.Conflicts(),
		PathOpenAPI:   a.OpenAPI(),
	}
	maps.Copy(out, a.exchangeHandlers())
	return out
}

// Info serves GET /routing-api/v2/info.
func (a *API) Info() http.Handler {
	return a.handle(func(*http.Request) (answer, error) {
		return jsonAnswer(info{Version: version{2, 0, 0}})
	})
}

type info struct {
	Version version `json:"version"`
}

type version struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
	Patch int `json:"patch"`
}

// OpenAPI serves the document that describes all this.
func (a *API) OpenAPI() http.Handler {
	return a.handle(func(*http.Request) (answer, error) {
		return answer{contentType: "application/yaml; charset=utf-8", body: openAPI}, nil
	})
}
