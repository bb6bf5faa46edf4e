package testnet

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"rathausnetz/portal"
)

const (
	newGreeting = "Guten Tag in Belm"
	newColor    = "#5b1f4e"
	newTitle    = "Sitzbank im Ort stiften"
)

// TestOffice is an afternoon of an editor, in a browser: the look is changed,
// published and seen on the citizens' page; a table is tried and applied, and
// another portal shows the new title; a link that has died is found after two
// days, and stands in the list of work.
func TestOffice(t *testing.T) {
	nw := startNetwork(t, Spec{})
	b := newTab(t)
	ctx := within(t, 2*time.Minute)
	var dead atomic.Bool
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if dead.Load() || r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	m := joinEditor(t, nw, site.URL+"/muster")

	link, err := m.Node().AdminLink(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	b.open(link.URL)
	b.click(`main form button[type='submit']`)
	b.expect("Ihre Aufgaben")

	// The look: what is too light is refused with a proposal, the rest is published.
	b.open(m.Entity.URL("/verwaltung/erscheinungsbild"))
	b.appears(`#gruss`)
	b.do("fill in", chromedp.SetValue(`#gruss`, newGreeting), chromedp.SetValue(`#farbe`, "#f2b705"))
	b.click(`main form[enctype] button.kern-btn--primary`)
	b.expect("zu hell für Links", "Vorschlag übernehmen")
	b.do("a darker colour", chromedp.SetValue(`#farbe`, newColor))
	b.click(`main form[enctype] button.kern-btn--primary`)
	b.expect("Dies ist der Entwurf", "Startseite auf dem Telefon")
	c := NewCitizen(nw.Transport())
	if err := c.Open(ctx, m.Entity.URL("/")); err != nil || c.Sees(newGreeting) {
		t.Errorf("a draft is shown to citizens: %v", err)
	}
	b.click(`form[action$='/veroeffentlichen'] button`)
	b.expect("Das neue Erscheinungsbild ist veröffentlicht.")
	b.open(m.Entity.URL("/"))
	b.expect(newGreeting)
	b.holds("the new colour", `getComputedStyle(document.documentElement).getPropertyValue('--pv-bar').trim() === '`+newColor+`'`)

	// The table.
	table := filepath.Join(t.TempDir(), "leistungen.csv")
	if err := os.WriteFile(table, []byte("Kennung;Neu Titel\r\nDEMO:belm.bank;"+newTitle+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.open(m.Entity.URL("/verwaltung/inhalte/tabelle"))
	b.appears(`input[type='file']`)
	b.do("choose the file", chromedp.SetUploadFiles(`input[type='file']`, []string{table}))
	b.click(`form[enctype] button`)
	b.expect("Die Tabelle ist in Ordnung", newTitle)
	if err := c.Open(ctx, m.searchFor(newTitle)); err != nil || strings.Contains(c.body, ">"+newTitle+"</a>") {
		t.Errorf("a try has changed something: %v", err)
	}
	b.click(`form[action$='/uebernehmen'] button`)
	b.expect("Übernommen: 1 Änderung.")
	if err := awaitPage(ctx, c, nw.Member("melle").searchFor(newTitle), newTitle, m.Legal); err != nil {
		t.Errorf("another portal: %v", err)
	}

	// The link, in order, then dead for two days.
	now := m.now()
	check := func(at time.Time, state string) {
		t.Helper()
		if n, err := m.Node().CheckLinks(ctx, at); err != nil || n != 1 {
			t.Fatalf("%d links checked, %v", n, err)
		}
		b.open(m.Entity.URL("/verwaltung/inhalte/links"))
		b.expect(state, site.URL+"/muster")
	}
	check(now, "in Ordnung")
	dead.Store(true)
	check(now.Add(25*time.Hour), "Wir prüfen an einem anderen Tag noch einmal.")
	check(now.Add(50*time.Hour), "defekt")
	b.open(m.Entity.URL("/verwaltung"))
	b.expect("Link defekt", "Unter dieser Adresse gibt es keine Seite (Antwort 404).")
	// The look survives a restart.
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := m.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, m.Entity.URL("/"), newGreeting); err != nil {
		t.Error(err)
	}
}

// joinEditor adds a Gemeinde that keeps its catalogue itself, with one offer
// whose text has a link.
func joinEditor(t *testing.T, nw *Network, address string) *Member {
	t.Helper()
	who := nw.newcomer()
	xml := who.files["neu.xml"]
	who.files = nil
	m, err := nw.add(who)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	const text = "Die Gemeinde stellt sie auf.&lt;/p&gt;"
	planted := strings.Replace(string(xml), text, text+`&lt;p&gt;&lt;a href="`+address+`"&gt;Muster&lt;/a&gt;&lt;/p&gt;`, 1)
	if planted == string(xml) {
		t.Fatal("the newcomer's text has changed")
	}
	path := filepath.Join(t.TempDir(), "neu.xml")
	if err := os.WriteFile(path, []byte(planted), 0o600); err != nil {
		t.Fatal(err)
	}
	err = Await(within(t, time.Minute), func() error {
		_, err := m.Node().Import(t.Context(), portal.PublishRequest{Source: path})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
