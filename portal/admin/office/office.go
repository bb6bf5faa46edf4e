package office

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/links"
	"rathausnetz/portal/report"
	"rathausnetz/portal/visits"
	"rathausnetz/portal/web"
)

//go:embed templates
var templates embed.FS

// ErrNothing is returned by Config.Table and Config.ImportNow when nothing was
// published yet, or there is nothing to import.
var ErrNothing = errors.New("office: this node has no catalogue yet")

// Config is what the pages work with. All but Register, Home, Now and Log are
// required.
type Config struct {
	Self      federation.EntityID
	Home      region.Area // of the own Gemeinde; zero for a Kreis or a utility
	Loopback  bool        // a demonstration on loopback names
	Directory *directory.Directory
	Register  *region.Register
	// Catalogue is what is published now, nil if nothing is; read only.
	Catalogue func() *catalog.Catalogue
	Gates     func() (*catalog.GateInput, error)
	Links     *links.Checker
	Reports   *report.Desk
	Visits    *visits.Counter
	Brand     *branding.Desk
	Web       *web.Web
	Store     store.Store
	Blocked   *blocklist.List
	Members   func() []federation.Member
	Hub       func() federation.EntityID
	// Table tries a table out, or applies it.
	Table     func(ctx context.Context, name string, table []byte, apply bool) (Table, error)
	Import    func() Import
	ImportNow func(context.Context) error
	Now       func() time.Time
	Log       *slog.Logger
}

// Table is what a table would change, or has changed.
type Table struct {
	OK       bool
	ReadOnly bool // catalog.source would overwrite it
	Changes  []sheet.Change
	Findings []catalog.Finding
	Serial   uint64 // published under this number, 0 for a try
}

// Import is where the own catalogue comes from and what became of the last
// time it was read.
type Import struct {
	Source    string // "": kept by the node itself
	Every     time.Duration
	At        time.Time // zero: not since the start
	Err       error
	Published bool // something had changed
	Serial    uint64
	Offers    int
	Diff      catalog.Diff
	Findings  []catalog.Finding
	More      int // findings beyond those
}

// Office draws the pages.
type Office struct{ c Config }

// New does no I/O.
func New(c Config) *Office {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Office{c: c}
}

// Paths of the pages.
const (
	workPath    = "/verwaltung/inhalte"
	recordsPath = workPath + "/leistungen"
	recordPath  = workPath + "/leistung"
	linksPath   = workPath + "/links"
	remarksPath = workPath + "/hinweise"
	tablePath   = workPath + "/tabelle"
	importPath  = workPath + "/uebernahme"
	visitsPath  = workPath + "/aufrufe"
	lookPath    = "/verwaltung/erscheinungsbild"
	previewPath = lookPath + "/vorschau"
	framePath   = lookPath + "/ansicht"
)

// Limits of what forms may bring, in bytes.
const (
	maxTable = 16 << 20
	maxLook  = 4 << 20
)

// Sections are the two entries in the menu of the operator pages.
func (o *Office) Sections() []admin.Section {
	return []admin.Section{{
		Name: "Inhalte", Path: workPath, Templates: templates, Home: o.home,
		Pages: []admin.Page{
			{Method: "GET", Path: workPath, Nav: "Aufgaben", Roles: staff.Redaktion, Serve: o.work},
			{Method: "GET", Path: recordsPath, Nav: "Leistungen", Roles: staff.Redaktion, Serve: o.records},
			{Method: "GET", Path: recordPath, Roles: staff.Redaktion, Serve: o.record},
			{Method: "GET", Path: linksPath, Nav: "Links", Roles: staff.Redaktion, Serve: o.links},
			{Method: "GET", Path: remarksPath, Nav: "Hinweise", Roles: staff.Redaktion, Serve: o.remarks},
			{Method: "POST", Path: remarksPath, Roles: staff.Redaktion, Action: "remark-answered", Serve: o.answer},
			{Method: "GET", Path: tablePath, Nav: "Tabelle", Roles: staff.Redaktion, Serve: o.table},
			{Method: "GET", Path: tablePath + "/leistungen.csv", Roles: staff.Redaktion, Serve: o.download},
			{Method: "POST", Path: tablePath + "/pruefen", Roles: staff.Redaktion, Action: "table-tried", MaxBody: maxTable, Serve: o.tryTable},
			{Method: "POST", Path: tablePath + "/uebernehmen", Roles: staff.Redaktion, Action: "table-applied", Serve: o.applyTable},
			{Method: "GET", Path: importPath, Nav: "Übernahme", Roles: staff.Redaktion, Serve: o.imports},
			{Method: "POST", Path: importPath, Roles: staff.Redaktion, Action: "import-started", Serve: o.importNow},
			{Method: "GET", Path: visitsPath, Nav: "Aufrufe", Roles: staff.Redaktion, Serve: o.visits},
		},
	}, {
		Name: "Erscheinungsbild", Path: lookPath, Templates: templates,
		Pages: []admin.Page{
			{Method: "GET", Path: lookPath, Nav: "Bearbeiten", Roles: staff.Redaktion, Serve: o.look},
			{Method: "POST", Path: lookPath, Roles: staff.Redaktion, Action: "brand-draft", MaxBody: maxLook, Serve: o.saveLook},
			{Method: "GET", Path: previewPath, Nav: "Vorschau", Roles: staff.Redaktion, Serve: o.preview},
			{Method: "GET", Path: framePath + "/{stand}/{thema}/{datei}", Roles: staff.Redaktion, Serve: o.frame},
			{Method: "POST", Path: lookPath + "/verwerfen", Roles: staff.Redaktion, Action: "brand-discarded", Serve: o.discardLook},
			{Method: "POST", Path: lookPath + "/veroeffentlichen", Action: "brand-published", Serve: o.publishLook},
			{Method: "GET", Path: lookPath + "/versionen", Nav: "Frühere Fassungen", Roles: staff.Redaktion, Serve: o.versions},
			{Method: "POST", Path: lookPath + "/versionen", Action: "brand-restored", Serve: o.restoreLook},
		},
	}}
}

// places are what gaps are looked for in: the own Gemeinde, or every one of the
// network for a Kreis.
func (o *Office) places() []region.Area {
	if o.c.Home.Len() == 12 {
		return []region.Area{o.c.Home}
	}
	if o.c.Home.IsBund() || o.c.Register == nil {
		return nil
	}
	var out []region.Area
	for _, p := range o.c.Register.Gemeinden(o.c.Home) {
		out = append(out, p.Area)
	}
	return out
}

// counted returns how often a record was opened: by its key, else by its ID.
func counted(sums map[string]int, key leika.ID, id catalog.ID) int {
	if !key.IsZero() {
		return sums[key.String()]
	}
	return sums[string(id)]
}

// countedDays is over how many days visits are summed up.
const countedDays = 30

// find returns the own offer with this ID.
func find(c *catalog.Catalogue, id catalog.ID) *catalog.Offer {
	if c == nil {
		return nil
	}
	for i := range c.Offers {
		if c.Offers[i].ID == id {
			return &c.Offers[i]
		}
	}
	return nil
}
