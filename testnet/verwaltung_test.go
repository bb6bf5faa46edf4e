package testnet

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/portal/web/locale"
	"rathausnetz/portal/web/webtest"
)

// enter opens the operator pages of a node by a one-time link, as whoever has
// its command line does.
func enter(t *testing.T, p *webtest.Page, m *Member) {
	t.Helper()
	link, err := m.Node().AdminLink(t.Context(), operatorName)
	if err != nil {
		t.Fatal(err)
	}
	p.Open(link.URL)
	p.Click(`form[action="/verwaltung/zugang"] button`)
	p.Expect("Übersicht", "Zugänge")
}

// TestVerbundPages runs a Landkreis from its pages in a real browser: a code,
// the words, approval, coverage, revocation and the audit trail.
func TestVerbundPages(t *testing.T) {
	nw := startNetwork(t, Spec{Members: 2})
	ctx := webtest.Browser(t)
	hub := nw.Hub()
	p := webtest.NewPage(t, ctx)
	enter(t, p, hub)

	m, err := nw.add(nw.newcomer())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nw.remove(m); err != nil {
			t.Error(err)
		}
	})
	if err := m.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Open(hub.Entity.URL("/verwaltung/verbund/aufnahme"))
	p.Type("#name", m.Legal)
	p.Type("#gebiet", m.Area.String())
	p.Click(`form[action$="/einladen"] button`)
	code := strings.TrimSpace(p.Value("#code"))
	res, err := m.Node().Join(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}

	p.Open(hub.Entity.URL("/verwaltung/verbund/aufnahme"))
	p.Expect(m.Legal, string(m.Entity))
	words := strings.Fields(p.Value(".pv-words"))
	if got, want := strings.Join(words, " "), strings.Join(res.Words, " "); got != want {
		t.Errorf("the page shows %q, the member reads %q", got, want)
	}
	p.Click(`form[action$="/freigeben"] button`)
	p.Expect("Vergleichen Sie zuerst die Wörter am Telefon.") // not without the tick
	p.Click(`input[name="verglichen"]`)
	p.Click(`form[action$="/freigeben"] button`)
	p.Expect(m.Legal + " gehört jetzt zum Verbund.")
	c := NewCitizen(nw.Transport())
	for _, o := range nw.Members() {
		if err := awaitPage(t.Context(), c, o.searchFor(newcomerWords), newcomerWords); err != nil {
			t.Fatal(err)
		}
	}
	pictures(t, p, hub, m)

	p.Open(hub.Entity.URL("/verwaltung/verbund/abdeckung?zeichen=parent"))
	p.Expect("Leistungen 1 bis", "▲")
	planHandover(t, p, nw)
	p.Open(hub.Entity.URL("/verwaltung/verbund"))
	p.Expect(m.Legal, "In Ordnung")
	p.Click(fmt.Sprintf(`a[href*="mitglied?id=%s"]`, strings.NewReplacer(":", "%3A", "/", "%2F").Replace(string(m.Entity))))
	p.Click(`a[href*="/ausschliessen?"]`)
	p.Expect("Das passiert", "1 Leistung verschwindet")
	p.Click(`form[action$="/ausschliessen"] button`)
	p.Expect("Bitte schreiben Sie in einem Satz, warum.", "Es wurde noch nichts geändert.")
	p.Type("#grund", "Ende der Vorführung")
	p.Click("#gelesen")
	m.left.Store(true)
	p.Click(`form[action$="/ausschliessen"] button`)
	p.Expect(m.Legal + " ist ausgeschlossen.")
	for _, o := range nw.Members() {
		if o == m {
			continue
		}
		if err := awaitGone(t.Context(), c, o.searchFor(newcomerWords), "Zuständig: "+m.Legal); err != nil {
			t.Fatal(err)
		}
	}
	p.Open(hub.Entity.URL("/verwaltung/verbund/protokoll?pruefen=1"))
	p.Expect("Das Protokoll ist vollständig", "staff:KONSOLE", "Mitglied ausgeschlossen", "Ende der Vorführung", "Mitglied freigegeben")
}

// planHandover plans that a Gemeinde gives up its area on a day to come: the
// pages show what that means before it is planned, every other portal announces it, and
// the interface says the day.
func planHandover(t *testing.T, p *webtest.Page, nw *Network) {
	t.Helper()
	hub, giver, other := nw.Hub(), nw.Members()[1], nw.Members()[2]
	newYear := time.Date(time.Now().Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
	day := locale.Date(locale.German, newYear)
	p.Open(hub.Entity.URL("/verwaltung/verbund/uebergabe?id=" + url.QueryEscape(string(giver.Entity))))
	p.Type("#tag", newYear.Format(time.DateOnly))
	p.Click("#alles")
	p.Click(`button[value="vorschau"]`)
	p.Expect("So sieht es ab "+day+" aus", passTitle, "niemand")
	p.Click(`button[value="planen"]`) // what was typed is kept
	p.Expect("Die Übergabe am " + day + " ist geplant.")
	c := NewCitizen(nw.Transport())
	if err := awaitPage(t.Context(), c, other.Entity.URL("/leistung/"+passLeika+"/"+giver.Area.String()), "Ab "+day+" ist dafür noch niemand eingetragen.", giver.Legal); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(t.Context(), c, other.Entity.URL("/api/v1/resolve?leika="+passLeika+"&ort="+giver.Area.String()), `"upcoming":{"date":"`+newYear.Format(time.DateOnly)); err != nil {
		t.Error(err)
	}
	p.Open(hub.Entity.URL("/verwaltung/verbund/abdeckung?q=" + passLeika + "&tag=" + newYear.Format(time.DateOnly)))
	p.Expect("Vorschau: so sieht es ab " + day + " aus")
	p.Open(hub.Entity.URL("/verwaltung/verbund/uebergaben"))
	p.Click(`form[action$="/absagen"] button`)
	p.Expect("ist abgesagt.")
	if err := awaitGone(t.Context(), c, other.Entity.URL("/leistung/"+passLeika+"/"+giver.Area.String()), "Ab "+day); err != nil {
		t.Error(err)
	}
}

// What every Gemeinde of the demonstration offers.
const passLeika, passTitle = "99008001012000", "Personalausweis beantragen"

// pictures writes what the pages look like into the folder that
// RATHAUSNETZ_SCREENSHOTS names.
func pictures(t *testing.T, p *webtest.Page, hub, m *Member) {
	t.Helper()
	dir := os.Getenv("RATHAUSNETZ_SCREENSHOTS")
	if dir == "" {
		return
	}
	id := strings.NewReplacer(":", "%3A", "/", "%2F").Replace(string(m.Entity))
	for name, path := range map[string]string{
		"uebersicht": "", "netz": "/verbund", "aufnahme": "/verbund/aufnahme", "mitglied": "/verbund/mitglied?id=" + id, "ausschliessen": "/verbund/ausschliessen?id=" + id,
		"abdeckung": "/verbund/abdeckung", "konflikte": "/verbund/konflikte", "luecken": "/verbund/luecken", "beweise": "/verbund/beweise", "protokoll": "/verbund/protokoll", "zugaenge": "/zugaenge", "uebergaben": "/verbund/uebergaben", "uebergabe": "/verbund/uebergabe?id=" + id,
	} {
		for _, width := range []int64{1280, 390} {
			for _, dark := range []bool{false, true} {
				png, err := p.Picture(hub.Entity.URL("/verwaltung"+path), width, dark)
				if err != nil {
					t.Fatal(err)
				}
				file := fmt.Sprintf("verwaltung-%s-%d%s.png", name, width, map[bool]string{true: "-dark"}[dark])
				if err := os.WriteFile(filepath.Join(dir, file), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestStaffSignsIn: somebody is invited at a member's portal, signs in there
// with an account of the network, has the role given and no other, and is not
// signed in as a citizen by that.
func TestStaffSignsIn(t *testing.T) {
	nw := startNetwork(t, Spec{Members: 1})
	ctx := webtest.Browser(t)
	m := nw.Members()[1]
	p := webtest.NewPage(t, ctx)
	enter(t, p, m)
	p.Open(m.Entity.URL("/verwaltung/zugaenge"))
	p.Type("#name", "A. Muster")
	p.Click(`#neu-redaktion`)
	p.Click(`form[action$="/einladen"] button`)
	link := strings.TrimSpace(p.Value("#einladung"))
	p.Click(`form[action="/verwaltung/abmelden"] button`)
	p.Expect("Anmelden bei der Verwaltung")

	p.Open(link)
	p.Expect("Guten Tag, A. Muster.")
	p.Click(`main a[href*="/anmelden/start?"]`)
	p.Appears(`input[name="password"]`)
	p.Type(`input[name="username"]`, DemoUser)
	p.Type(`input[name="password"]`, DemoPassword)
	p.Click(`form:has(input[name="password"]) button[type="submit"]`)
	p.Click(`button[name="decision"][value="yes"]`)
	p.Until("the first page of the operator pages", func() bool { return p.Path() == "/verwaltung" })
	p.Expect("A. Muster")
	if strings.Contains(p.Text(), "Zugänge") {
		t.Error("the menu offers what the role may not")
	}
	p.Open(m.Entity.URL("/verwaltung/zugaenge"))
	p.Expect("Dafür haben Sie keine Berechtigung")
	p.Open(m.Entity.URL("/konto"))
	p.Expect("Anmelden")
	if strings.Contains(p.Text(), DemoName) {
		t.Error("the login of the staff has made a citizen's session")
	}
	p.Open(link)
	p.Expect("Der Link wurde schon benutzt.")
	p.Open(m.Entity.URL("/verwaltung"))
	p.Click(`form[action="/verwaltung/abmelden"] button`)
	p.Expect("Anmelden bei der Verwaltung")
	p.Click(`main a[href*="/anmelden/start?"]`) // the account is known now, and asked for its password again
	p.Appears(`input[name="password"]`)
}
