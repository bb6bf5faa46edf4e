package portal

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/signin"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
	"rathausnetz/sso/rp/rptest"
)

// openNode opens a node that is not run.
func openNode(t *testing.T, hub bool, change ...func(*config.Config)) *Node {
	t.Helper()
	dir := t.TempDir()
	if _, err := trust.CreateKeys(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Entity, c.Data, c.LoopbackHTTP = federation.EntityID("http://"+ln.Addr().String()), dir, true
	if hub {
		c.Hub = config.Hub{Enabled: true, Name: "Landkreis Osnabrück", Kind: federation.KindLandkreis, Area: region.MustArea("03459")}
		c.OP.Enabled = true
	}
	for _, f := range change {
		f(&c)
	}
	p := Portal{Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Home: region.MustArea("034590012012")}
	n, err := Open(c, Options{Listener: ln, Portal: &p, Brand: &brand.Brand{Name: p.Name, ShortName: p.ShortName, Color: brand.MustColor("#175c3a")}, Register: region.Demo()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *Node) site() *admintest.Site {
	return &admintest.Site{Origin: n.cfg.Entity.Origin(), Handler: n.handler, Table: n.admin.Table(), Staff: n.staff, Sessions: staff.NewSessions(n.staff, n.secure())}
}

// Every operator page and verb of a member and of a hub, with every role and
// with none, and every verb as a foreign page would send it.
func TestRoles(t *testing.T) {
	for what, hub := range map[string]bool{"member": false, "hub": true} {
		t.Run(what, func(t *testing.T) {
			n := openNode(t, hub)
			bad, err := admintest.Walk(t.Context(), n.site())
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range bad {
				t.Error(b)
			}
		})
	}
}

// What a role may do, written out: a change of the table is a change here.
func TestWhoMayDoWhat(t *testing.T) {
	n := openNode(t, true)
	leitung := []string{"/verwaltung/zugaenge", "/verwaltung/zugaenge/einladen", "/verwaltung/zugaenge/rollen", "/verwaltung/zugaenge/sperren", "/verwaltung/zugaenge/entsperren",
		"/verwaltung/zugaenge/loeschen", "/verwaltung/verbund/ausschliessen"}
	for _, p := range n.admin.Table() {
		switch {
		case p.Open:
			if !strings.HasPrefix(p.Path, "/verwaltung/anmelden") && p.Path != "/verwaltung/zugang" && p.Path != "/verwaltung/einladung" {
				t.Errorf("%s %s needs no session", p.Method, p.Path)
			}
		case slices.Contains(leitung, p.Path):
			if p.Roles&^staff.Leitung != 0 {
				t.Errorf("%s %s is for %s, must be for Leitung alone", p.Method, p.Path, p.Roles)
			}
		case strings.HasPrefix(p.Path, "/verwaltung/verbund"):
			if p.Roles&^staff.Leitung != staff.Verbund {
				t.Errorf("%s %s is for %s, must be for Verbund", p.Method, p.Path, p.Roles)
			}
		}
	}
}

// What the staff does at a node that is no hub stands in a trail of its own.
func TestMemberHasAnAuditTrail(t *testing.T) {
	n := openNode(t, false)
	if _, err := n.AdminLink(t.Context(), "root"); err != nil {
		t.Fatal(err)
	}
	records, err := n.audit(t.Context(), AuditRange{From: 1, Limit: 10})
	if err != nil || len(records) != 1 || records[0].Action != "staff-link-made" || records[0].By != "root" {
		t.Fatalf("%+v, %v", records, err)
	}
	if count, err := n.verifyAudit(t.Context(), struct{}{}); err != nil || count != 1 {
		t.Errorf("%d, %v", count, err)
	}
}

// The provider of the house: groups become roles, and losing the group is
// losing the way in.
func TestStaffOfTheHouse(t *testing.T) {
	op, err := rptest.Start(rptest.Config{NoPAR: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(op.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	n := openNode(t, true, func(c *config.Config) {
		c.Admin = config.Admin{Issuer: op.Issuer, ClientID: "rathaus", SecretFile: secret, RolesClaim: "groups", Roles: []config.AdminRole{{Group: "it", Role: "verbund"}, {Group: "chef", Role: "leitung"}}}
	})
	groups := func(g ...string) {
		op.Change(func(o *rptest.OP) {
			o.Clients = []rptest.Client{{ID: "rathaus", Secret: "geheim", RedirectURIs: []string{n.cfg.Entity.URL(signin.CallbackPath)}}}
			o.Subject, o.Claims = "42", map[string]any{"name": "A. Muster", "groups": g}
		})
	}
	login := func() (*admintest.Person, *httptest.ResponseRecorder) {
		t.Helper()
		site := n.site()
		p, err := site.SignIn(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		w := p.Open("/verwaltung/anmelden/start?quelle=haus&weiter=/verwaltung/verbund")
		if w.Code != http.StatusSeeOther {
			t.Fatal(w.Code, w.Body)
		}
		p.Cookies = w.Result().Cookies()
		c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		r, err := c.Get(w.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		back, err := r.Location()
		if err != nil {
			t.Fatal(err)
		}
		return p, p.Open(back.RequestURI())
	}
	groups("it", "alle")
	p, w := login()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/verwaltung/verbund" {
		t.Fatal(w.Code, w.Header(), w.Body)
	}
	p.Cookies = w.Result().Cookies()
	if got := p.Open("/verwaltung/verbund").Code; got != http.StatusOK {
		t.Errorf("role verbund: %d", got)
	}
	if got := p.Open("/verwaltung/zugaenge").Code; got != http.StatusForbidden {
		t.Errorf("role verbund sees the staff: %d", got)
	}
	groups("chef")
	p, w = login()
	p.Cookies = w.Result().Cookies()
	if got := p.Open("/verwaltung/zugaenge").Code; got != http.StatusOK {
		t.Errorf("role leitung: %d", got)
	}
	groups("alle")
	if _, w = login(); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "hat hier keinen Zugang") {
		t.Errorf("without a role: %d %s", w.Code, w.Body)
	}
}
