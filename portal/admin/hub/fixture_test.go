package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/hub"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/report"
)

const (
	kreis      = federation.EntityID("https://kreis.example")
	melle      = federation.EntityID("https://melle.example")
	bissendorf = federation.EntityID("https://bissendorf.example")
	belm       = federation.EntityID("https://belm.example")
)

var (
	areaKreis      = region.MustArea("03459")
	areaMelle      = region.MustArea("034590024024")
	areaBissendorf = region.MustArea("034590012012")
	areaBelm       = region.MustArea("034590008008")

	keyHund    = leika.MustParse("99102013004000")
	keyBau     = leika.MustParse("99012024000000")
	keyAusweis = leika.MustParse("99008001012000")
)

// fixture is a hub with three members, one applicant, a conflict and gaps.
type fixture struct {
	*admintest.Served
	store   store.Store
	anchor  *anchor.Anchor
	dir     *directory.Directory
	now     time.Time
	kept    map[federation.EntityID][]mirror.Kept
	peers   []hub.Peer
	gaps    []report.Gap
	sources []directory.Source
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 22, 9, 42, 0, 0, time.UTC), kept: map[federation.EntityID][]mirror.Kept{}}
	clock := func() time.Time { return f.now }
	f.store = store.NewMemory(clock)
	keys := &trust.Keys{Federation: []*trust.Key{trusttest.Key("kreis")}, Protocol: []*trust.Key{trusttest.Key("kreis protocol")}}
	var err error
	f.anchor, err = anchor.New(anchor.Config{
		Self: kreis, Keys: func() *trust.Keys { return keys }, Store: f.store, HTTP: http.DefaultClient, Now: clock,
		Owner: anchor.Invitation{Name: "Landkreis Osnabrück", ShortName: "Landkreis", Kind: federation.KindLandkreis, Seat: areaKreis, Scope: federation.Scope{Subtree: []region.Area{areaKreis}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.dir = directory.New(directory.Config{Register: region.Demo(), Now: clock})
	h := hub.New(hub.Config{
		Self: kreis, Name: "Landkreis Osnabrück", Area: areaKreis, Anchor: f.anchor, Directory: f.dir, Register: region.Demo(),
		Peers:   func() []hub.Peer { return f.peers },
		Gaps:    func(context.Context) ([]report.Gap, error) { return f.gaps, nil },
		Preview: f.preview,
		Kept:    func(id federation.EntityID) ([]mirror.Kept, error) { return f.kept[id], nil },
	})
	if f.Served, err = admintest.Serve(clock, h.Section()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	f.fill(t)
	return f
}

// preview is what a node does: the same sources with one grant planned.
func (f *fixture) preview(id federation.EntityID, p federation.Planned) *directory.Directory {
	d := directory.New(directory.Config{Register: region.Demo(), Now: func() time.Time { return f.now }})
	for _, s := range f.sources {
		if s.Member.ID == id {
			s.Member.Next = &p
			s.Catalogue, _ = catalog.WithinScope(s.Catalogue, s.Member)
		}
		d.Replace(s)
	}
	return d
}

func (f *fixture) fill(t *testing.T) {
	t.Helper()
	f.register(t, melle, "Stadt Melle", "Melle", areaMelle, anchor.StateActive)
	f.register(t, bissendorf, "Gemeinde Bissendorf", "Bissendorf", areaBissendorf, anchor.StateActive)
	f.register(t, belm, "Gemeinde Belm", "Belm", areaBelm, anchor.StatePending)
	f.register(t, "https://wallenhorst.example", "Gemeinde Wallenhorst", "Wallenhorst", region.MustArea("034590033033"), anchor.StateSuspended)
	f.register(t, "https://fort.example", "Gemeinde Fort", "Fort", region.MustArea("034590014014"), anchor.StateRevoked)
	f.peers = []hub.Peer{
		{Member: member(kreis, "Landkreis Osnabrück", "Landkreis", federation.KindLandkreis, areaKreis), Self: true, Reachable: true, Copy: mirror.StateFresh, Serial: 7, Offers: 1},
		{Member: member(melle, "Stadt Melle", "Melle", federation.KindGemeinde, areaMelle), Reachable: true, RTT: 4 * time.Millisecond, Copy: mirror.StateFresh, Serial: 12, Offers: 2, Checked: f.now.Add(-4 * time.Minute)},
		{Member: member(bissendorf, "Gemeinde Bissendorf", "Bissendorf", federation.KindGemeinde, areaBissendorf), Since: f.now.Add(-time.Hour), Copy: mirror.StateStale, Serial: 3, Announced: 4, Offers: 2, Outside: 2,
			Checked: f.now.Add(-26 * time.Hour), Err: fmt.Errorf("pull: %w", mirror.ErrUnreachable)},
	}
	f.peers[2].Member.Scope.Subtree = append(f.peers[2].Member.Scope.Subtree, areaMelle)
	f.sources = []directory.Source{
		source(f.peers[0].Member, offer(1, keyBau, "Bauplan einsehen", areaKreis, true)),
		source(f.peers[1].Member, offer(2, keyHund, "Hund anmelden", areaMelle, true), offer(3, keyBau, "Bauplan einsehen", areaMelle, false)),
		source(f.peers[2].Member, offer(4, keyHund, "Hund anmelden", areaBissendorf, false), offer(5, keyAusweis, "Personalausweis beantragen", areaBissendorf, true), offer(6, keyBau, "Bauplan einsehen", areaMelle, false)),
	}
	f.dir.Replace(f.sources...)
	f.gaps = []report.Gap{{Leika: keyHund.String(), Area: areaBelm.String(), Count: 9, Last: f.now}, {Leika: keyAusweis.String(), Area: areaMelle.String(), Count: 3, Last: f.now}}
}

// register puts a member into the registry as it stands in the store.
func (f *fixture) register(t *testing.T, id federation.EntityID, name, short string, area region.Area, state anchor.State) {
	t.Helper()
	m := anchor.Member{ID: id, State: state, Words: strings.Fields("Anker Birne Cello Dampf Esel Feder Garten Hafen"), Generation: 1, Requested: f.now.Add(-time.Hour), Keys: trusttest.Key(string(id)).Public(),
		Invitation: anchor.Invitation{Name: name, ShortName: short, Kind: federation.KindGemeinde, Seat: area, Scope: federation.Scope{Subtree: []region.Area{area}}}}
	if state == anchor.StateRevoked || state == anchor.StateSuspended {
		m.Reason, m.Decided, m.By = "Vertrag beendet", f.now, "staff:ABCDEFGH"
	}
	b, err := json.Marshal(m)
	if err == nil {
		err = f.store.Put(t.Context(), "anchor/member/"+string(id), b, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func member(id federation.EntityID, name, short string, kind federation.Kind, area region.Area) federation.Member {
	return federation.Member{ID: id, Name: name, ShortName: short, Kind: kind, Seat: area, Scope: federation.Scope{Subtree: []region.Area{area}}, IsHub: kind == federation.KindLandkreis}
}

func offer(n int, key leika.ID, title string, area region.Area, online bool) catalog.Offer {
	id := catalog.NewID("T", fmt.Sprint(n))
	o := catalog.Offer{ID: id, Leika: key, Title: catalog.Text{"de": title}, Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: id + "-z", Area: area, Role: catalog.Zustaendig}}}
	if online {
		o.Onlinedienste = []catalog.Onlinedienst{{ID: id + "-o", URL: "https://x.example/antrag"}}
	}
	return o
}

func source(m federation.Member, offers ...catalog.Offer) directory.Source {
	return directory.Source{Member: m, Catalogue: &catalog.Catalogue{Member: m.ID, Offers: offers}, Serial: 1, Reachable: true}
}

func (f *fixture) signIn(t *testing.T, roles staff.Roles) *admintest.Person {
	t.Helper()
	p, err := f.SignIn(t.Context(), roles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fixture) state(t *testing.T, id federation.EntityID) anchor.State {
	t.Helper()
	m, err := f.anchor.Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m.State
}

// noted returns what the trail says about an action, "" for nothing.
func (f *fixture) noted(t *testing.T, action string) string {
	t.Helper()
	records, err := f.anchor.Audit(t.Context(), 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range slices.Backward(records) {
		if r.Action == action {
			return r.By + " " + r.Subject + " " + r.Reason
		}
	}
	return ""
}
