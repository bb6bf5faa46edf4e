package testnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/portal"
	"rathausnetz/portal/report"
	"rathausnetz/sso/op/desk"
	"rathausnetz/testnet/data"
)

// Places and keys of the demonstration that the states need.
const (
	bissendorfArea = "034590012012"
	belmArea       = "034590008008" // takes no part in the network
	dogLeika       = "99102013104000"
	fishingLeika   = "99042001012000"
	passportLeika  = "99085001012000"
)

// manifestLife is how long a sealed catalogue holds.
const manifestLife = 7 * 24 * time.Hour

// TestStates reaches every state of UX.md §6 that can occur in a running
// network by a real cause, and reads its text.
func TestStates(t *testing.T) {
	nw := startNetwork(t, Spec{})
	for _, s := range []struct {
		name string
		test func(*testing.T, *Network)
	}{
		{"reading", testReadingStates},
		{"no authority", testGap},
		{"several authorities", testConflict},
		{"sign-on", testSignOnStates},
		{"session ends", testSessionEnds},
		{"500", testBrokenRecord},
		{"peer offline", testPeerOffline},
		{"data old", testOldData},
	} {
		if !t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) { s.test(t, nw) }) {
			return // the network may not be whole any more
		}
	}
}

// testReadingStates: what a citizen's own words and addresses lead to.
func testReadingStates(t *testing.T, nw *Network) {
	home := nw.Member("bissendorf")
	for _, s := range []struct {
		name, address string
		status        int
		want          []string
	}{
		{"no hit", "/suche?q=Zeppelin&ort=" + bissendorfArea, 200, []string{"Wir haben nichts gefunden", "Zu „Zeppelin“ gibt es in Bissendorf keinen Treffer. Prüfen Sie die Schreibweise", "Behördennummer 115"}},
		{"no hit here, some elsewhere", "/suche?q=Stadtf%C3%BChrung&ort=" + bissendorfArea + "&gebiet=1", 200, []string{"Zu „Stadtführung“ gibt es in Bissendorf keinen Treffer.", "Ohne Filter suchen", "In allen Orten im Landkreis Osnabrück suchen ("}},
		{"empty search", "/suche", 200, []string{"Was möchten Sie erledigen?", "Geben Sie ein Wort ein oder wählen Sie eine Lebenslage."}},
		{"typo helped", "/suche?q=F%C3%BCrungszeugnis", 200, []string{"Wir haben auch nach „Führungszeugnis“ gesucht.", "Nur „Fürungszeugnis“ suchen"}},
		{"PLZ invalid", "/suche?q=Hund&ort=4914", 200, []string{"Eine Postleitzahl hat fünf Ziffern. Bitte prüfen Sie Ihre Eingabe."}},
		{"place outside", "/suche?q=Hund&ort=Flensburg", 200, []string{"Dieser Ort gehört nicht zum Verbund", "Wir kennen nur Orte im Landkreis Osnabrück. Für andere Orte hilft Ihnen die bundesweite Suche weiter."}},
		{"several places", "/ort?plz=49577", 200, []string{"Zu 49577 gehören drei Orte", "Wo wohnen Sie?", "Ankum", "Eggermühlen", "Kettenkamp"}},
		{"several places, from a search", "/suche?q=Hund&ort=49577", 200, []string{"Zu 49577 gehören drei Orte", "Wo wohnen Sie?"}},
		{"not online", "/leistung/" + passportLeika + "/" + bissendorfArea, 200, []string{"Diesen Antrag gibt es noch nicht online", "kommen Sie ins Rathaus"}},
		{"404", "/gibt-es-nicht", 404, []string{"Diese Seite gibt es nicht", "Vielleicht hat sich die Adresse geändert. Suchen Sie hier nach der Leistung."}},
	} {
		t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) {
			c := NewCitizen(nw.Transport())
			if err := c.Open(t.Context(), home.Entity.URL(s.address)); err != nil {
				t.Fatal(err)
			}
			if c.Status() != s.status {
				t.Errorf("status %d, want %d", c.Status(), s.status)
			}
			if err := c.Expect(s.want...); err != nil {
				t.Error(err)
			}
		})
	}
}

// testGap: nobody has the dog tax of Belm, which takes no part.
func testGap(t *testing.T, nw *Network) {
	c := NewCitizen(nw.Transport())
	if err := c.Open(t.Context(), nw.Member("bissendorf").Entity.URL("/leistung/"+dogLeika+"/"+belmArea)); err != nil {
		t.Fatal(err)
	}
	if err := c.Expect("Wir wissen nicht, wer zuständig ist", "in Belm ist noch keine Behörde eingetragen. Fragen Sie bitte", "Landkreis Osnabrück nach: Telefon ", "Wir haben den Landkreis über die Lücke informiert."); err != nil {
		t.Error(err)
	}
	gs, err := verb[[]report.Gap](t.Context(), nw.Hub(), "gaps")
	if err != nil || len(gs) != 1 || gs[0].Leika != dogLeika || gs[0].Area != belmArea {
		t.Errorf("the hub knows the gaps %+v, %v", gs, err)
	}
}

// testConflict: the Landkreis publishes a message that claims the fishing
// licence of Bissendorf, which Bissendorf has itself; then it takes it back.
func testConflict(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	hub, c := nw.Hub(), NewCitizen(nw.Transport())
	page := nw.Member("melle").Entity.URL("/leistung/" + fishingLeika + "/" + bissendorfArea)
	if err := c.Open(ctx, page); err != nil {
		t.Fatal(err)
	}
	if err := c.Expect("Zuständig für Bissendorf: Gemeinde Bissendorf"); err != nil {
		t.Fatal(err)
	}
	index := hub.dir("catalog", "index.txt")
	before, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	after, err := addConflict(hub, before)
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.republish(ctx, index, after); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, page, "Sie können wählen", "gibt es zwei Stellen. Beide bearbeiten Ihren Antrag.", "Landkreis Osnabrück", "Gemeinde Bissendorf"); err != nil {
		t.Error(err)
	}
	if err := hub.republish(ctx, index, before); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, page, "Zuständig für Bissendorf: Gemeinde Bissendorf"); err != nil {
		t.Error(err)
	}
}

// addConflict lays the messages of the folder konflikt beside those of the hub
// and returns the index that reads both.
func addConflict(hub *Member, index []byte) ([]byte, error) {
	names, err := fs.Glob(data.FS, "konflikt/*.xml")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("%w: no messages in konflikt: %w", ErrSpec, err)
	}
	own, err := fs.ReadFile(data.FS, "konflikt/index.txt")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(data.FS, name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(hub.dir("catalog", "konflikt-"+strings.TrimPrefix(name, "konflikt/")), b, 0o600); err != nil {
			return nil, err
		}
	}
	out := bytes.TrimSpace(index)
	for line := range bytes.Lines(bytes.TrimSpace(own)) {
		out = append(append(out, "\nkonflikt-"...), bytes.TrimSpace(line)...)
	}
	return append(out, '\n'), nil
}

// testSignOnStates: wrong password, a level that is too low, signed out.
func testSignOnStates(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	home, hub, c := nw.Member("bissendorf"), nw.Hub(), NewCitizen(nw.Transport())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")))
	must(c.Submit(ctx, map[string]string{"username": DemoUser, "password": "falsch"}))
	must(c.Expect("Die Anmeldung hat nicht geklappt", "Bitte versuchen Sie es noch einmal. Sie können auch ohne Anmeldung weiterlesen."))
	must(nw.signIn(ctx, c))
	must(nw.expectAt(c, home, DemoName))

	must(c.Open(ctx, home.searchFor("Bauvoranfrage stellen")))
	must(c.ClickHref(ctx, "/leistung/99012068006000/"))
	must(c.Expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht", "Sie sind mit Name und Passwort angemeldet. Für diesen Antrag brauchen Sie den Online-Ausweis oder ELSTER."))
	must(c.Click(ctx, applyText))
	must(nw.confirm(ctx, c))
	must(c.Expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht", "Zum Absenden brauchen Sie den Online-Ausweis oder ELSTER. Ihre Eingaben bleiben erhalten."))
	must(c.Open(ctx, hub.Entity.URL("/anmelden?niveau=hoch"))) // which no source of the demonstration reaches
	must(c.Expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht", "Sie sind mit Name und Passwort angemeldet. Für diesen Antrag brauchen Sie einen stärkeren Nachweis"))
	must(c.Open(ctx, hub.Entity.URL("/konto")))
	must(c.Expect("Mit dieser Anmeldung sind Sie auch hier angemeldet: Gemeinde Bissendorf"))
	must(c.Open(ctx, home.Entity.URL("/konto")))
	if c.Sees("auch hier angemeldet") {
		t.Error("a portal knows where else the person is signed in")
	}
	must(nw.logOutEverywhere(ctx, c, home, []*Member{home, hub}))

	// The provider is not there: signing in fails, reading goes on.
	must(hub.Kill())
	must(c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")))
	must(c.Expect("Die Anmeldung hat nicht geklappt", "Bitte versuchen Sie es in einigen Minuten noch einmal. Sie können auch ohne Anmeldung weiterlesen."))
	failed := c.URL().String()
	must(c.Open(ctx, home.searchFor("Hund anmelden")))
	must(c.Expect("Zuständig: Gemeinde Bissendorf"))
	must(hub.Restart(ctx))
	must(nw.AwaitConverged(ctx))
	must(c.Open(ctx, failed))
	if !c.HasField("password") {
		t.Errorf("the provider is back, but signing in leads to %s", c.URL())
	}
}

// testPeerOffline: Melle dies; Bissendorf names it in the list and when a
// citizen wants to apply there, and both are gone when it is back.
func testPeerOffline(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	home, victim, c := nw.Member("bissendorf"), nw.Member("melle"), NewCitizen(nw.Transport())
	list := home.Entity.URL("/suche?" + url.Values{"q": {"Hund anmelden"}, "ort": {victim.Area.String()}}.Encode())
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, list, "Ein Portal antwortet gerade nicht", "Das Portal der Stadt Melle ist zurzeit nicht erreichbar. Wir zeigen die Angaben vom ", "Anträge dort sind im Moment nicht möglich.", "Zuständig: Stadt Melle"); err != nil {
		t.Fatal(err)
	}
	if err := c.ClickHref(ctx, "/leistung/"+dogLeika+"/"); err != nil {
		t.Fatal(err)
	}
	want := []string{"Der Antrag ist gerade nicht erreichbar", "Das Portal der Stadt Melle antwortet seit ", "Uhr nicht. Versuchen Sie es später noch einmal oder rufen Sie an: "}
	if err := c.Expect(want...); err != nil {
		t.Error(err)
	}
	if err := victim.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
	if err := awaitGone(ctx, c, list, "Ein Portal antwortet gerade nicht"); err != nil {
		t.Error(err)
	}
}

// testOldData: Melle seals a catalogue that ends in some seconds, because its
// clock is slow, and then dies. Nobody can renew it, so the copy of all others
// grows old: they go on showing it and say so.
func testOldData(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	home, victim, c := nw.Member("bissendorf"), nw.Member("melle"), NewCitizen(nw.Transport())
	page := home.Entity.URL("/leistung/" + dogLeika + "/" + victim.Area.String())
	const left = 5 * time.Second
	var r portal.PublishReport
	if err := Await(ctx, func() (err error) { // with such a clock it may just find the hub's statements to be of the future
		r, err = sealAgain(ctx, victim, left-manifestLife)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := Await(ctx, func() error {
		for _, s := range home.Node().Status().Members {
			if s.Member == victim.Entity && s.Serial < r.Serial {
				return fmt.Errorf("serial %d is held, %d is published", s.Serial, r.Serial)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := victim.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := awaitPage(ctx, c, page, "Diese Angaben sind nicht ganz aktuell", "Das Portal der Stadt Melle meldet sich zurzeit nicht. Prüfen Sie Kosten und Öffnungszeiten bitte am Telefon."); err != nil {
		t.Fatal(err)
	}
	if err := c.Open(ctx, home.Entity.URL("/verbund")); err != nil {
		t.Fatal(err)
	}
	if err := c.Expect("Antwortet nicht"); err != nil {
		t.Error(err)
	}
	if err := victim.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		t.Fatal(err)
	}
	if err := awaitGone(ctx, c, page, "Diese Angaben sind nicht ganz aktuell"); err != nil {
		t.Error(err)
	}
}

// sealAgain publishes a changed catalogue with a wrong clock.
func sealAgain(ctx context.Context, m *Member, offset time.Duration) (r portal.PublishReport, err error) {
	path := m.dir("catalog", publishFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	changed := bytes.Replace(b, []byte("Hund anmelden"), []byte("Einen Hund anmelden"), 1)
	if bytes.Equal(changed, b) {
		return r, errors.New("the catalogue does not mention Hund anmelden")
	}
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		return r, err
	}
	m.SetClock(offset)
	defer m.SetClock(0)
	return m.Node().Publish(ctx, portal.PublishRequest{})
}

// TestReports: what a citizen of Bissendorf finds wrong in a text of the
// Landkreis reaches its operator, also after the hub was down, and the citizen
// can read how far it is.
func TestReports(t *testing.T) {
	nw := startNetwork(t, Spec{})
	ctx := within(t, time.Minute)
	home, hub, c := nw.Member("bissendorf"), nw.Hub(), NewCitizen(nw.Transport())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(text string) {
		t.Helper()
		must(c.Open(ctx, home.Entity.URL("/leistung/"+carLeika+"/"+bissendorfArea)))
		must(c.Click(ctx, "Fehler melden"))
		must(c.Expect("Auto abmelden", "Ihren Namen brauchen wir nicht."))
		must(c.Submit(ctx, map[string]string{"text": text}))
	}
	write("Die Gebühr stimmt nicht.")
	must(c.Expect("Ihr Hinweis ist angekommen"))
	must(c.Click(ctx, "Stand dieses Hinweises ansehen"))
	must(c.Expect("Ihr Hinweis ist offen"))
	state := c.URL().String()
	es, err := verb[[]report.Entry](ctx, hub, "reports")
	must(err)
	if len(es) != 1 || es[0].Text != "Die Gebühr stimmt nicht." || es[0].From != home.Entity {
		t.Fatalf("the operator reads %+v", es)
	}
	if _, err := hub.Node().Verbs()["reportclose"](ctx, []byte(`"`+es[0].Reference+`"`)); err != nil {
		t.Fatal(err)
	}
	must(c.Open(ctx, state))
	must(c.Expect("Ihr Hinweis ist erledigt"))

	must(hub.Kill())
	write("Das Formular fehlt.")
	must(c.Expect("Ihr Hinweis wartet", "Wir versuchen es weiter."))
	must(c.Click(ctx, "Stand dieses Hinweises ansehen"))
	must(c.Expect("Ihr Hinweis wartet"))
	state = c.URL().String()
	must(hub.Restart(ctx))
	must(nw.AwaitConverged(ctx))
	must(awaitPage(ctx, c, state, "Ihr Hinweis ist offen"))
}

func verb[Out any](ctx context.Context, m *Member, name string) (out Out, err error) {
	v, err := m.Node().Verbs()[name](ctx, nil)
	if err != nil {
		return out, err
	}
	out, ok := v.(Out)
	if !ok {
		return out, fmt.Errorf("%s answers with %T", name, v)
	}
	return out, nil
}

// testBrokenRecord: a record of the hub's store is damaged on the disk while
// the node is down. The page that needs it says that the fault is ours, with a
// reference; the same reference is in the log.
func testBrokenRecord(t *testing.T, nw *Network) {
	ctx := within(t, time.Minute)
	hub, c := nw.Hub(), NewCitizen(nw.Transport())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(c.Open(ctx, hub.Entity.URL("/anmelden?zurueck=/konto")))
	must(nw.signIn(ctx, c))
	rewrite := func(change func([]byte) []byte) {
		t.Helper()
		must(hub.Stop())
		st, err := store.OpenBolt(hub.dir("data", "store.db"), hub.now)
		must(err)
		var keys []string
		must(st.Scan(ctx, "op/history/", func(key string, _ []byte) bool { keys = append(keys, key); return true }))
		if len(keys) == 0 {
			t.Fatal("the hub has no record of any account")
		}
		for _, k := range keys {
			must(st.Update(ctx, k, func(old []byte) ([]byte, time.Duration, error) { return change(old), time.Hour, nil }))
		}
		must(st.Close())
		must(hub.Restart(ctx))
		must(nw.AwaitConverged(ctx))
	}
	var whole [][]byte
	rewrite(func(b []byte) []byte { whole = append(whole, bytes.Clone(b)); return b[:len(b)-3] })
	must(c.Open(ctx, hub.Entity.URL(desk.HistoryPath)))
	if c.Status() != 500 {
		t.Errorf("status %d, want 500", c.Status())
	}
	must(c.Expect("Das hat nicht geklappt", "Der Fehler liegt bei uns. Kennung für Rückfragen: "))
	if !regexp.MustCompile(`Kennung für Rückfragen: [A-Z2-7]{4}-[A-Z2-7]{4}\.`).MatchString(c.Text()) {
		t.Errorf("no reference in %.600s", c.Text())
	}
	rewrite(func([]byte) []byte { b := whole[0]; whole = whole[1:]; return b })
	must(c.Open(ctx, hub.Entity.URL(desk.HistoryPath)))
	must(c.Expect("Wer hat welche Daten bekommen?", hub.Legal))
}
