package web

import (
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/frame"
	"rathausnetz/portal/web/locale"
	"rathausnetz/portal/web/static"
)

// ErrConfig is wrapped by every refusal of New.
var ErrConfig = errors.New("web: configuration")

// Config says what a portal shows. Self, Brand, Directory and Register are
// required.
type Config struct {
	Self  federation.EntityID
	Brand brand.Brand // at the start; see SetBrand
	// Home is the area of the portal's own municipality: the place that is
	// meant as long as a citizen names no other. A Kreis or a utility has no
	// Gemeinde of its own: the zero Home means Area.
	Home region.Area
	// Area is the whole network, e.g. 03459; Verbund its name in sentences,
	// e.g. "Landkreis Osnabrück".
	Area    region.Area
	Verbund string

	Directory  *directory.Directory
	Register   *region.Register
	Neighbours Neighbours // nil: places of other Landkreise are outside
	Network    Network    // nil: the list of portals is taken from Directory alone
	Sessions   Sessions   // nil: nobody is ever signed in
	Reports    Reports    // nil: errors in texts are answered with the owner's contact only

	// Target returns where "Online beantragen" leads: usually the third-party
	// initiated login of the member's portal with the form as target
	// [OIDC §4]. nil leads to the form itself.
	Target func(m federation.Member, d catalog.Onlinedienst) string
	// ReportGap tells the hub that nobody is responsible and returns whether
	// it was told; the page then says so. nil: the page does not say it.
	ReportGap func(key leika.ID, place region.Area) bool
	// FormTargets returns origins beside those of the members to which a
	// login or logout form may lead on (account sources, other relying
	// parties); they become part of form-action on those pages.
	FormTargets func() []string

	Demo bool // demonstration network: banner on each page, form pages
	Now  func() time.Time
	Log  *slog.Logger
}

// Network says how the members' portals are doing now.
type Network interface {
	// Portals returns all members including the own one, in any order.
	Portals() []Portal
}

// Portal is the state of one member's portal as this node sees it.
type Portal struct {
	Member    federation.Member
	Self      bool
	Reachable bool
	Since     time.Time // when Reachable changed last; zero if not known
	HasCopy   bool
	Stale     bool      // the copy is past its time
	Fetched   time.Time // when the copy was made
	Serial    uint64
	Offers    int
}

// Sessions says who is signed in at this portal.
type Sessions interface {
	// Person returns who sent r; ok is false for nobody. It must be cheap
	// for a request without a session cookie.
	Person(r *http.Request) (p Person, ok bool)
	// Left says how long the login of r lasts; ok is false for nobody. Asking
	// does not count as use.
	Left(r *http.Request) (l Left, ok bool)
}

// Left is how long a login lasts.
type Left struct {
	Now      time.Duration // if nobody does anything
	Absolute time.Duration // whatever anybody does
	Idle     time.Duration // what doing something makes of Now, at most
}

// Person is a signed-in citizen as the pages need to know them.
type Person struct {
	Name   string // as the person released it; may be empty
	Level  federation.Level
	Since  time.Time
	Until  time.Time // the session ends then at the latest
	Issuer string    // name of the portal that runs the account
	// Portals are further portals with the same login, as far as known.
	Portals []string
	// AccountHere: the account is kept at this portal, with its pages. Else
	// AccountURL leads there; "" if that is not known.
	AccountHere bool
	AccountURL  string
}

// Reports takes "Fehler melden" to the member that owns the record.
type Reports interface {
	// Report hands over text (at most 2000 characters, no contact data asked
	// for) and returns a reference to ask for its state, and whether the
	// owner has received it already.
	// An error that wraps ErrReportLong is the citizen's to mend.
	Report(r *http.Request, about directory.OfferRef, text string) (reference string, delivered bool, err error)
	// State says how far a report is that was written here, and what its owner
	// answers, "" for nothing.
	State(r *http.Request, reference string) (ReportState, string, error)
}

// ErrReportLong refuses a report that is too long to be sent.
var ErrReportLong = errors.New("web: report is too long")

// ReportState is how far a report is.
type ReportState string

// The states of a report.
const (
	ReportUnknown ReportState = "unknown" // there is none with this reference
	ReportWaiting ReportState = "waiting" // its owner does not answer yet
	ReportOpen    ReportState = "open"
	ReportDone    ReportState = "done"
	ReportLeft    ReportState = "left" // its owner takes part no more
)

// Web draws the pages of one portal.
type Web struct {
	cfg    Config
	texts  *locale.Texts
	files  *static.Files
	pages  map[string]*frame.Set // by language
	look   atomic.Pointer[look]
	cache  *cache // nil in a preview
	zip    static.Zipper
	zone   *time.Location
	policy string // Content-Security-Policy of every page but sign-on

	preview *preview // nil for the pages that everybody sees
}

// New checks the configuration and prepares templates and pictures.
func New(cfg Config) (*Web, error) {
	switch {
	case cfg.Self == "":
		return nil, errorf("Self is missing")
	case cfg.Directory == nil || cfg.Register == nil:
		return nil, errorf("Directory or Register is missing")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Home.IsBund() {
		cfg.Home = cfg.Area
	}
	if cfg.Verbund == "" {
		cfg.Verbund = cfg.Register.Name(cfg.Area)
	}
	w := &Web{cfg: cfg, policy: contentPolicy("'self'"), cache: newCache()}
	var err error
	if w.texts, err = locale.Load(); err != nil {
		return nil, err
	}
	if w.files, err = static.Load(); err != nil {
		return nil, err
	}
	if err := w.SetBrand(cfg.Brand); err != nil {
		return nil, err
	}
	if w.zone, err = time.LoadLocation("Europe/Berlin"); err != nil {
		w.zone = time.FixedZone("MEZ", 3600)
	}
	if w.pages, err = w.parse(); err != nil {
		return nil, err
	}
	return w, nil
}
