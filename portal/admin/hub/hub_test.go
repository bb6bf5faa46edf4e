package hub_test

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/staff"
)

func TestWalk(t *testing.T) {
	f := open(t)
	bad, err := admintest.Walk(t.Context(), &f.Site)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Error(b)
	}
	if got := f.state(t, belm); got != anchor.StatePending {
		t.Errorf("empty forms have changed a member: %s", got)
	}
}

func TestNetwork(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	admintest.Said(t, p.Open("/verwaltung/verbund"), 200, "5 Portale", "Stadt Melle", "4 ms", "vor 4 Minuten", "Nicht erreichbar", "Der Katalog war nicht abrufbar.", "2 Angaben außerhalb des Gebiets",
		"3, angekündigt 4", "vor 26 Stunden", "Wartet auf Freigabe", "Pausiert", "<svg", "4 Portale darum")
	if strings.Contains(p.Open("/verwaltung/verbund").Body.String(), "Gemeinde Fort") {
		t.Error("an excluded member is shown as a portal")
	}
	admintest.Said(t, p.Open("/verwaltung"), 200, "1 Portal wartet auf Freigabe", "1 Konflikt")
	f.peers[1].Err = mirror.ErrEquivocates
	admintest.Said(t, p.Open("/verwaltung/verbund/mitglied?id="+url.QueryEscape(string(melle))), 200, "Widersprüchlicher Katalog", "Gebiet ändern", "Ausschließen kann nur eine Person mit der Rolle Leitung", "Anker Birne Cello")
	admintest.Said(t, p.Open("/verwaltung/verbund/mitglied?id=https://nobody.example"), 404)
}

var code = regexp.MustCompile(`<pre[^>]*id="code">(RN1[^<]+)</pre>`)

func TestInvite(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	w := p.Send("/verwaltung/verbund/einladen", url.Values{"name": {"Gemeinde Bad Laer"}, "gebiet": {"Bad Laer"}})
	admintest.Said(t, w, 200, "Beitrittscode für Gemeinde Bad Laer", "bis zum 23. November 2026, 10:42 Uhr")
	m := code.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatal("no code is shown")
	}
	if c, err := anchor.ParseCode(m[1], true); err != nil || c.Hub != kreis {
		t.Errorf("%v %v", c, err)
	}
	if got := f.noted(t, "invite"); got != "staff:"+p.Account.ID+" Gemeinde Bad Laer " {
		t.Errorf("trail: %q", got)
	}
	if strings.Contains(p.Open("/verwaltung/verbund/aufnahme").Body.String(), m[1]) {
		t.Error("the code is shown twice")
	}
	for what, c := range map[string]struct {
		form url.Values
		want string
	}{
		"no name":       {url.Values{"gebiet": {"Melle"}}, "amtlichen Namen"},
		"no area":       {url.Values{"name": {"X"}}, "mindestens ein Gebiet"},
		"unknown area":  {url.Values{"name": {"X"}, "gebiet": {"Atlantis"}}, "„Atlantis“ kennen wir nicht"},
		"foreign area":  {url.Values{"name": {"X"}, "gebiet": {"034600001001"}}, "gehört nicht zu Ihrem Verbund"},
		"bad key":       {url.Values{"name": {"X"}, "gebiet": {"Melle"}, "leika": {"99x"}}, "kein Anfang eines Schlüssels"},
		"kept as typed": {url.Values{"name": {"X <y>"}, "gebiet": {"Atlantis"}, "ohne": {"Melle"}}, "X &lt;y&gt;"},
	} {
		t.Run(what, func(t *testing.T) { admintest.Said(t, p.Send("/verwaltung/verbund/einladen", c.form), 422, c.want) })
	}
}

func TestJoinDecisions(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	id := url.Values{"id": {string(belm)}}
	admintest.Said(t, p.Open("/verwaltung/verbund/aufnahme"), 200, "Gemeinde Belm", "<li>Anker</li>", "Gemeinde Fort", "Vertrag beendet")
	admintest.Said(t, p.Send("/verwaltung/verbund/freigeben", id), 422, "Vergleichen Sie zuerst die Wörter am Telefon.")
	admintest.Said(t, p.Send("/verwaltung/verbund/ablehnen", id), 422, "warum")
	if f.state(t, belm) != anchor.StatePending {
		t.Fatal("decided without the tick or a reason")
	}
	admintest.Said(t, p.Send("/verwaltung/verbund/freigeben", url.Values{"id": {string(belm)}, "verglichen": {"1"}}), 303)
	if f.state(t, belm) != anchor.StateActive || f.noted(t, "approve") != "staff:"+p.Account.ID+" https://belm.example " {
		t.Errorf("%s, %q", f.state(t, belm), f.noted(t, "approve"))
	}
	admintest.Said(t, p.Open("/verwaltung/verbund/aufnahme"), 200, "Gemeinde Belm gehört jetzt zum Verbund.", "Zurzeit wartet niemand.")
	admintest.Said(t, p.Send("/verwaltung/verbund/ablehnen", url.Values{"id": {string(belm)}, "grund": {"zu spät"}}), 409, "Das geht in diesem Zustand nicht")
	f.register(t, "https://bohmte.example", "Gemeinde Bohmte", "Bohmte", region.MustArea("034590013013"), anchor.StatePending)
	admintest.Said(t, p.Send("/verwaltung/verbund/ablehnen", url.Values{"id": {"https://bohmte.example"}, "grund": {"Wörter falsch"}}), 303)
	if f.state(t, "https://bohmte.example") != anchor.StateRefused {
		t.Error("not refused")
	}
}

// Suspension and revocation say first what will happen; revocation is for
// Leitung alone.
func TestEndingMemberships(t *testing.T) {
	f := open(t)
	p, boss := f.signIn(t, staff.Verbund), f.signIn(t, staff.Leitung)
	q := "?id=" + url.QueryEscape(string(bissendorf))
	admintest.Said(t, p.Open("/verwaltung/verbund/pausieren"+q), 200, "Das passiert", "3 Leistungen verschwinden", "Personalausweis beantragen", "jederzeit wieder zulassen")
	admintest.Said(t, p.Send("/verwaltung/verbund/pausieren", url.Values{"id": {string(bissendorf)}, "grund": {" "}}), 422, "warum")
	admintest.Said(t, p.Send("/verwaltung/verbund/pausieren", url.Values{"id": {string(bissendorf)}, "grund": {"Umzug"}}), 303)
	if f.state(t, bissendorf) != anchor.StateSuspended {
		t.Error("not suspended")
	}
	admintest.Said(t, p.Send("/verwaltung/verbund/zulassen", url.Values{"id": {string(bissendorf)}}), 303)
	if f.state(t, bissendorf) != anchor.StateActive {
		t.Error("not readmitted")
	}
	all := url.Values{"id": {string(bissendorf)}, "grund": {"Vertrag beendet"}, "gelesen": {"1"}}
	admintest.Said(t, p.Open("/verwaltung/verbund/ausschliessen"+q), 403)
	admintest.Said(t, p.Send("/verwaltung/verbund/ausschliessen", all), 403)
	admintest.Said(t, boss.Open("/verwaltung/verbund/ausschliessen"+q), 200, "nicht zurücknehmen")
	admintest.Said(t, boss.Send("/verwaltung/verbund/ausschliessen", url.Values{"id": {string(bissendorf)}, "grund": {"Vertrag beendet"}}), 422, "noch nichts geändert", "Vertrag beendet")
	if f.state(t, bissendorf) != anchor.StateActive {
		t.Fatal("revoked without the tick")
	}
	admintest.Said(t, boss.Send("/verwaltung/verbund/ausschliessen", all), 303)
	if f.state(t, bissendorf) != anchor.StateRevoked || f.noted(t, "revoke") != "staff:"+boss.Account.ID+" https://bissendorf.example Vertrag beendet" {
		t.Errorf("%s, %q", f.state(t, bissendorf), f.noted(t, "revoke"))
	}
	notices, err := f.anchor.Notices(t.Context())
	if err != nil || len(notices) != 2 { // suspension and revocation
		t.Errorf("%d notices, %v", len(notices), err)
	}
}

func TestRescope(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	form := url.Values{"id": {string(melle)}, "gebiet": {"034590024024\n Gemeinde Belm "}, "leika": {"99102"}, "ohne": {""}}
	admintest.Said(t, p.Send("/verwaltung/verbund/gebiet", form), 303)
	m, err := f.anchor.Show(t.Context(), melle)
	if err != nil || len(m.Scope.Subtree) != 2 || m.Scope.Subtree[1] != areaBelm || m.Scope.LeikaPrefixes[0] != "99102" || m.Generation != 2 {
		t.Errorf("%+v %v", m, err)
	}
	admintest.Said(t, p.Send("/verwaltung/verbund/gebiet", url.Values{"id": {string(melle)}, "gebiet": {"03460"}}), 422, "gehört nicht zu Ihrem Verbund")
	admintest.Said(t, p.Send("/verwaltung/verbund/gebiet", url.Values{"id": {string(melle)}, "gebiet": {"12"}}), 422, "12")
	admintest.Said(t, p.Open("/verwaltung/verbund/mitglied?id="+url.QueryEscape(string(melle))), 200, "Gemeinde Belm (034590008008)", "99102")
}

func TestCoverage(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung"), 200, "Leistungen 1 bis 3 von 3", "Orte 1 bis 8 von 34", "Nächste Orte", "Hund anmelden", `<span class="kern-sr-only">niemand eingetragen</span>`)
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung?q=hund"), 200, "Leistungen 1 bis 1 von 1")
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung?q=99012"), 200, "Bauplan einsehen")
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung?zeichen=online&gebiet=034590024"), 200, "Leistungen 1 bis 1 von 1", "Hund anmelden")
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung?q=gibtesnicht&zeile=99&ort=99"), 200, "Keine Leistung gefunden")
	admintest.Said(t, p.Open("/verwaltung/verbund/abdeckung?tag=2027-01-01"), 200, "so sieht es ab 1. Januar 2027 aus")
	w := p.Open("/verwaltung/verbund/abdeckung.csv?q=hund")
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(w.Body.String(), "\ufeff")))
	r.Comma = ';'
	table, err := r.ReadAll()
	if err != nil || len(table) != 2 || len(table[0]) != 36 || table[1][0] != keyHund.String() || !strings.Contains(w.Header().Get("Content-Disposition"), "abdeckung-2026-11-22.csv") {
		t.Fatalf("%v %v %v", table, err, w.Header())
	}
	for i, place := range table[0] {
		if want := map[string]string{"Melle": "online", "Bissendorf": "nur Information", "Belm": "niemand eingetragen"}[place]; want != "" && table[1][i] != want {
			t.Errorf("%s: %s, want %s", place, table[1][i], want)
		}
	}
}

func TestConflictsAndGaps(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	admintest.Said(t, p.Open("/verwaltung/verbund/konflikte"), 200, "Stadt Melle", "Gemeinde Bissendorf", "/leistung/"+keyBau.String()+"/"+areaMelle.String())
	body := p.Open("/verwaltung/verbund/luecken").Body.String()
	first, second := strings.Index(body, ">Belm<"), strings.Index(body, ">Bad Essen<")
	if first < 0 || second < 0 || first > second {
		t.Errorf("the gap that most people met does not come first: %d, %d", first, second)
	}
	f.dir.Replace(source(member(belm, "Gemeinde Belm", "Belm", federation.KindGemeinde, areaBelm), offer(8, keyHund, "Hund anmelden", areaBelm, false)))
	if strings.Contains(p.Open("/verwaltung/verbund/luecken").Body.String(), `data-label="Gemeldet">9<`) {
		t.Error("a gap is listed that is closed")
	}
}

func TestEvidence(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	admintest.Said(t, p.Open("/verwaltung/verbund/beweise"), 200, "Es liegen keine Beweise vor")
	f.kept[melle] = []mirror.Kept{{Serial: 12, Digest: "aaaaaaaaaaaa", Sealed: "one.two.three", At: f.now}, {Serial: 12, Digest: "bbbbbbbbbbbb", Sealed: "four.five.six", At: f.now}}
	admintest.Said(t, p.Open("/verwaltung/verbund/beweise"), 200, "aaaaaaaaaaaa", "bbbbbbbbbbbb")
	w := p.Open("/verwaltung/verbund/beweis?beleg=bbbbbbbbbbbb&id=" + url.QueryEscape(string(melle)))
	if w.Body.String() != "four.five.six" || !strings.Contains(w.Header().Get("Content-Disposition"), "melle.example-12-bbbbbbbbbbbb.jws") {
		t.Errorf("%s %v", w.Body, w.Header())
	}
	admintest.Said(t, p.Open("/verwaltung/verbund/beweis?beleg=cccccccccccc&id="+url.QueryEscape(string(melle))), 404)
	admintest.Said(t, p.Open("/verwaltung/verbund/mitglied?id="+url.QueryEscape(string(melle))), 200, "Gegen dieses Mitglied liegen Beweise vor")
}

func TestTrail(t *testing.T) {
	f := open(t)
	for _, r := range [][3]string{{"root", "invite", "Gemeinde A"}, {"staff:ABCDEFGH", "approve", "https://a.example"}, {"root", "invite", "=cmd"}} {
		if err := f.anchor.Note(t.Context(), r[0], r[1], r[2], ""); err != nil {
			t.Fatal(err)
		}
		f.now = f.now.Add(24 * time.Hour)
	}
	p := f.signIn(t, staff.Verbund)
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?pruefen=1"), 200, "Das Protokoll ist vollständig: 3 Einträge", "Einträge 1 bis 3 von 3")
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?wer=ABCDEFGH"), 200, "Einträge 1 bis 1 von 1", "Mitglied freigegeben")
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?was=invite&von=2026-11-23"), 200, "Einträge 1 bis 1 von 1", "=cmd")
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?bis=2026-11-22"), 200, "Einträge 1 bis 1 von 1", "Gemeinde A")
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?q=nirgends"), 200, "Kein Eintrag gefunden")
	if got := p.Open("/verwaltung/verbund/protokoll.csv").Body.String(); !strings.Contains(got, ";'=cmd;") {
		t.Errorf("a formula leaves as one: %s", got)
	}
	var records []anchor.Record
	if err := json.Unmarshal(p.Open("/verwaltung/verbund/protokoll.json?was=approve").Body.Bytes(), &records); err != nil || len(records) != 1 || records[0].Seq != 2 {
		t.Errorf("%+v %v", records, err)
	}
	if err := f.store.Put(t.Context(), "anchor/audit/00000000000000000002", []byte(`{"seq":2,"by":"nobody"}`), 0); err != nil {
		t.Fatal(err)
	}
	admintest.Said(t, p.Open("/verwaltung/verbund/protokoll?pruefen=1"), 200, "Das Protokoll wurde verändert")
}
