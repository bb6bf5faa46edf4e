package admin

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"rathausnetz/portal/admin/staff"
)

// ErrConfig is wrapped by every refusal of New.
var ErrConfig = errors.New("admin: configuration")

// Root is where the operator pages begin.
const Root = "/verwaltung"

// Handler answers one page or verb. It is called only for a session that the
// table admits, with the form read and its token checked.
type Handler func(*Request) (*Answer, error)

// Page is one line of the table: a page (GET) or a verb (POST) and who may use
// it.
type Page struct {
	Method string // GET or POST
	Path   string // below Root; a pattern of net/http.ServeMux
	// Roles may use it, and Leitung always may. Zero: Leitung alone.
	Roles staff.Roles
	// Open needs no session: the entrance alone.
	Open bool
	// Nav is the page's name in the menu of its section; "" shows it nowhere.
	Nav string
	// Action is what the audit trail calls a verb. Audited says that the verb
	// writes the trail itself, with Request.By as actor.
	Action  string
	Audited bool
	// MaxBody is the largest form in bytes, uploads included; 0 means 64 KiB.
	MaxBody int64
	Serve   Handler
}

func (p *Page) allowed() staff.Roles { return p.Roles | staff.Leitung }

// Section is a group of pages with an entry of its own in the main menu.
type Section struct {
	Name string // in the menu
	Path string // of its first page
	// Templates holds templates/*.html and templates/parts/*.html.
	Templates fs.FS
	Pages     []Page
	// Home returns the section's part of the first page, or nil for nothing.
	// It is asked only for accounts that may open Path.
	Home func(*Request) (*Answer, error)
}

const (
	defaultBody = 64 << 10
	largestBody = 32 << 20
)

func (s *Section) check() error {
	bad := func(p *Page, format string, args ...any) error {
		return fmt.Errorf("%w: %s %s: "+format, append([]any{ErrConfig, p.Method, p.Path}, args...)...)
	}
	for i := range s.Pages {
		p := &s.Pages[i]
		switch {
		case p.Serve == nil:
			return bad(p, "has no handler")
		case p.Method != http.MethodGet && p.Method != http.MethodPost:
			return bad(p, "a page is GET, a verb is POST")
		case p.Path != Root && !strings.HasPrefix(p.Path, Root+"/"):
			return bad(p, "is not below %s", Root)
		case p.MaxBody > largestBody:
			return bad(p, "takes more than %d bytes", largestBody)
		case p.Method == http.MethodPost && !p.Open && p.Action == "" && !p.Audited:
			return bad(p, "leaves no record in the audit trail")
		case p.Method == http.MethodGet && (p.Action != "" || p.Audited):
			return bad(p, "a page decides nothing")
		}
	}
	return nil
}
