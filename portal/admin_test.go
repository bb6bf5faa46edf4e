package portal

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/brand"
)

// openNode opens a node that is not run.
func openNode(t *testing.T, hub bool) *Node {
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
