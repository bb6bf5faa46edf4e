package office_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/office"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/links"
	"rathausnetz/portal/report"
	"rathausnetz/portal/visits"
	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
)

const (
	self = federation.EntityID("https://bissendorf.example")
	hub  = federation.EntityID("https://landkreis.example")
)

var (
	now        = time.Date(2026, 11, 22, 9, 42, 0, 0, time.UTC)
	home       = region.MustArea("034590012012")
	keyHund    = leika.MustParse("99102013104000")
	keyAusweis = leika.MustParse("99008001012000")
	keyGap     = leika.MustParse("99050012104000")
)

const coat = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 56"><path d="M2 2h44v26c0 14-10 22-22 26C12 50 2 42 2 28z" fill="#175c3a"/></svg>`

// fixture is one node of Bissendorf with everything around its pages.
type fixture struct {
	*admintest.Served
	dir     *directory.Directory
	own     *catalog.Catalogue
	links   *links.Checker
	reports *report.Desk
	visits  *visits.Counter
	brand   *branding.Desk
	web     *web.Web
	blocked blocklist.List
	imp     office.Import
	applied []string
}

func offer(id string, key leika.ID, title, text string, changed time.Time, online string) catalog.Offer {
	o := catalog.Offer{
		ID: catalog.ID("t:" + id), Leika: key, Title: catalog.Text{"de": title}, Geaendert: changed,
		Sections:         []catalog.Section{{Kind: catalog.Kurztext, Text: catalog.Text{"de": "<p>" + text + "</p>"}}},
		Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: catalog.ID("t:z" + id), Area: home, Role: catalog.Zustaendig}},
	}
	if online != "" {
		o.Onlinedienste = []catalog.Onlinedienst{{ID: catalog.ID("t:o" + id), URL: online}}
	}
	return o
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{}
	clock := func() time.Time { return now }
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	f.own = &catalog.Catalogue{Member: self, Serial: 7, Offers: []catalog.Offer{
		offer("hund", keyHund, "Hund anmelden", "Melden Sie Ihren Hund an. Die Gebühr beträgt xx Euro.", now.AddDate(0, -1, 0), gone.URL+"/hund"),
		offer("alt", leika.ID(0), "Brennholz kaufen", "Der Bauhof verkauft Holz.", now.AddDate(-2, 0, 0), ""),
		offer("ausweis", keyAusweis, "Personalausweis beantragen", "Sie brauchen einen Ausweis.", now.AddDate(0, -6, 0), ""),
	}}
	lk := &catalog.Catalogue{Member: hub, Serial: 1, Offers: []catalog.Offer{
		offer("v", keyAusweis, "Personalausweis beantragen", "Neue Fassung.", now.AddDate(0, -1, 0), ""),
		offer("g", keyGap, "Gewerbe anmelden", "Sie beginnen ein Gewerbe.", now, ""),
	}}
	lk.Offers[0].Zustaendigkeiten[0].Area, lk.Offers[1].Zustaendigkeiten[0].Area = region.MustArea("034590024024"), region.MustArea("034590024024")
	me := federation.Member{ID: self, Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Kind: federation.KindGemeinde, Seat: home, Scope: federation.Scope{Areas: []region.Area{home}}}
	kreis := federation.Member{ID: hub, Name: "Landkreis Osnabrück", ShortName: "Landkreis", Kind: federation.KindLandkreis, Seat: region.MustArea("03459"), Scope: federation.Scope{Subtree: []region.Area{region.MustArea("03459")}}}
	f.dir = directory.New(directory.Config{Register: region.Demo(), Now: clock})
	f.dir.Replace(directory.Source{Member: me, Catalogue: f.own, Serial: 7, Reachable: true}, directory.Source{Member: kreis, Catalogue: lk, Serial: 1, Reachable: true})
	st := store.NewMemory(clock)
	t.Cleanup(func() { st.Close() })
	var err error
	b := brand.Brand{Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Color: brand.MustColor("#175c3a"), Greeting: "Willkommen", Wappen: brand.Image{Data: []byte(coat), Alt: "Wappen"}}
	if f.web, err = web.New(web.Config{Self: self, Brand: b, Home: home, Area: region.MustArea("03459"), Directory: f.dir, Register: region.Demo(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	f.links, err = links.New(links.Config{Self: self, HTTP: gone.Client(), Store: st, Catalogue: func() *catalog.Catalogue { return f.own }, Pause: time.Nanosecond, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	for day := range 2 {
		if _, err := f.links.Round(t.Context(), now.AddDate(0, 0, day-1)); err != nil {
			t.Fatal(err)
		}
	}
	f.visits = visits.New(st, clock, nil)
	for range 5 {
		f.visits.Count(keyGap.String())
	}
	f.visits.Count(keyHund.String())
	f.brand = branding.New(branding.Config{Store: st, Start: b, Show: f.web.SetBrand, Now: clock})
	keys, err := trust.CreateKeys(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f.reports = report.New(report.Config{Self: self, Hub: func() federation.EntityID { return hub }, Key: func() *trust.Key { return keys.Federation[0] }, Store: st, HTTP: http.DefaultClient, Now: clock,
		Keys: func(federation.EntityID) (trust.JWKS, error) { return keys.FederationJWKS(), nil }})
	if _, _, err := f.reports.Send(t.Context(), "x", report.Remark{Owner: self, Offer: "t:hund", Text: "Die Gebühr fehlt."}); err != nil {
		t.Fatal(err)
	}
	f.imp = office.Import{Source: "", Every: 6 * time.Hour, At: now, Published: true, Serial: 7, Offers: 3, Findings: []catalog.Finding{{Severity: catalog.Warn, Code: catalog.CodeContact, Record: "t:u", Message: "Die Stelle hat keine Telefonnummer.", Remedy: "Ergänzen Sie sie."}}}
	o := office.New(office.Config{
		Self: self, Home: home, Directory: f.dir, Register: region.Demo(), Catalogue: func() *catalog.Catalogue { return f.own }, Links: f.links, Reports: f.reports,
		Gates: func() (*catalog.GateInput, error) {
			return &catalog.GateInput{Scope: me.Scope, Loopback: true, Register: func(k leika.ID) bool { return k != keyAusweis }, Now: now}, nil
		},
		Visits: f.visits, Brand: f.brand, Web: f.web, Store: st, Blocked: &f.blocked, Members: func() []federation.Member { return []federation.Member{me, kreis} }, Hub: func() federation.EntityID { return hub },
		Table: f.table, Import: func() office.Import { return f.imp }, ImportNow: func(context.Context) error { return nil }, Now: clock,
	})
	if f.Served, err = admintest.Serve(clock, o.Sections()...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// table does what a node does, without gates and network.
func (f *fixture) table(_ context.Context, name string, b []byte, apply bool) (office.Table, error) {
	plan, err := sheet.Read(bytes.NewReader(b), name, f.own, now)
	if err != nil {
		return office.Table{}, err
	}
	t := office.Table{OK: plan.Next != nil, Changes: plan.Changes, Findings: plan.Findings}
	if apply && t.OK {
		t.Serial = 8
		for _, c := range plan.Changes {
			f.applied = append(f.applied, fmt.Sprint(c.Line, " ", c.ID, " ", c.Field, ": ", c.New))
		}
	}
	return t, nil
}

// sheet is the downloaded table with one cell changed.
func (f *fixture) sheet(t *testing.T, change func(head, row []string)) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sheet.Write(&b, f.own); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\r\n")
	head, row := strings.Split(strings.TrimPrefix(lines[0], "\ufeff"), ";"), strings.Split(lines[1], ";")
	change(head, row)
	return []byte(strings.Join([]string{strings.Join(head, ";"), strings.Join(row, ";")}, "\r\n"))
}
