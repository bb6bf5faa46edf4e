package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/frame"
)

// Trail is where every action of the staff is written down.
type Trail interface {
	Note(ctx context.Context, by, action, subject, reason string) error
}

// Config is what the frame works with. Self, Staff, Sessions, SignIn, Trail,
// Look and Asset are required.
type Config struct {
	Self     federation.EntityID
	Staff    *staff.Staff
	Sessions *staff.Sessions
	SignIn   *signin.SignIn
	// RolesOf turns the groups that a provider names into roles; nil: roles
	// come from invitations only.
	RolesOf func(groups []string) staff.Roles
	Trail   Trail
	// Look returns name and Wappen of the portal as they are now.
	Look func() Look
	// Asset returns the address of a design file.
	Asset func(name string) string
	Demo  bool // a demonstration network: every page says so

	Sections []Section
	Now      func() time.Time
	Log      *slog.Logger
}

// Look is how the pages call and colour themselves.
type Look struct {
	Brand *brand.Brand
	// Mark returns the address of a file of the brand: marke.css, wappen.
	Mark func(name string) string
}

// Admin is the frame with its sections. It is an http.Handler for Root and
// everything below it, safe for concurrent use.
type Admin struct {
	cfg      Config
	sections []Section // the frame's own first and last
	mux      *http.ServeMux
	sets     map[string]*frame.Set // by section path
	zone     *time.Location
}

// New checks configuration and table and reads the templates.
func New(cfg Config) (*Admin, error) {
	switch {
	case cfg.Self == "" || cfg.Staff == nil || cfg.Sessions == nil || cfg.SignIn == nil:
		return nil, fmt.Errorf("%w: Self, Staff, Sessions and SignIn are needed", ErrConfig)
	case cfg.Trail == nil || cfg.Look == nil || cfg.Asset == nil:
		return nil, fmt.Errorf("%w: Trail, Look and Asset are needed", ErrConfig)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &Admin{cfg: cfg, mux: http.NewServeMux(), sets: map[string]*frame.Set{}}
	a.sections = append([]Section{a.entrance()}, cfg.Sections...)
	a.sections = append(a.sections, a.people())
	var err error
	if a.zone, err = time.LoadLocation("Europe/Berlin"); err != nil {
		a.zone = time.FixedZone("MEZ", 3600)
	}
	for i := range a.sections {
		if err := a.add(&a.sections[i]); err != nil {
			return nil, err
		}
	}
	a.mux.HandleFunc("/", a.notFound)
	return a, nil
}

func (a *Admin) add(s *Section) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := a.parse(s); err != nil {
		return err
	}
	for i := range s.Pages {
		p := &s.Pages[i]
		a.mux.HandleFunc(p.Method+" "+p.Path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, s, p) })
	}
	return nil
}

// Table returns every page and verb with who may use it, in the order of the
// sections. The entrance is part of it.
func (a *Admin) Table() []Page {
	var out []Page
	for _, s := range a.sections {
		out = append(out, slices.Clone(s.Pages)...)
	}
	return out
}
