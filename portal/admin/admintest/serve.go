package admintest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
	"rathausnetz/portal/web/static"
)

// Trail is an audit trail in memory, one line a record. Its zero value is
// ready; it is safe for concurrent use.
type Trail struct {
	mu    sync.Mutex
	lines []string
	err   error
}

// Note implements admin.Trail.
func (t *Trail) Note(_ context.Context, by, action, subject, reason string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.lines = append(t.lines, strings.TrimSpace(by+" "+action+" "+subject+" "+reason))
	}
	return t.err
}

// Lines returns the records so far.
func (t *Trail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.lines...)
}

// Fail makes every further Note fail with err; nil ends that.
func (t *Trail) Fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
}

// Served is the frame with sections behind a server on loopback, for tests of
// pages without a whole node.
type Served struct {
	Site
	Admin *admin.Admin
	Trail *Trail
	srv   *httptest.Server
}

// Serve starts one; whoever calls it calls Close. now nil is time.Now.
func Serve(now func() time.Time, sections ...admin.Section) (*Served, error) {
	if now == nil {
		now = time.Now
	}
	files, err := static.Load()
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s := &Served{Trail: &Trail{}, srv: httptest.NewServer(mux)}
	s.Origin = s.srv.URL
	st := store.NewMemory(now)
	s.Staff = staff.New(st, now)
	s.Sessions = staff.NewSessions(s.Staff, false)
	b := brand.Brand{Name: "Landkreis Osnabrück", ShortName: "Landkreis", Color: brand.MustColor("#12406e")}
	s.Admin, err = admin.New(admin.Config{
		Self: federation.EntityID(s.Origin), Staff: s.Staff, Sessions: s.Sessions, SignIn: signin.New(st, s.Origin+signin.CallbackPath, now),
		Trail: s.Trail, Asset: files.URL, Now: now, Sections: sections,
		Look: func() admin.Look {
			return admin.Look{Brand: &b, Mark: func(name string) string {
				if name == "marke.css" {
					return "/marke.css"
				}
				return ""
			}}
		},
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	s.Handler, s.Table = mux, s.Admin.Table()
	mux.Handle(static.Prefix, files)
	mux.HandleFunc("/marke.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write([]byte(b.CSS()))
	})
	mux.Handle(admin.Root, s.Admin)
	mux.Handle(admin.Root+"/", s.Admin)
	return s, nil
}

// Link returns the address that lets a browser in with all roles, once.
func (s *Served) Link(ctx context.Context) (string, error) {
	secret, _, err := s.Staff.Link(ctx)
	return s.Admin.LinkURL(secret), err
}

// Close stops the server.
func (s *Served) Close() { s.srv.Close() }
