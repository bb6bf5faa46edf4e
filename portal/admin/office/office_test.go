package office_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rathausnetz/federation/blocklist"
	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/report"
)

func (f *fixture) person(t *testing.T, roles staff.Roles) *admintest.Person {
	t.Helper()
	p, err := f.SignIn(t.Context(), roles)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func says(t *testing.T, w *httptest.ResponseRecorder, status int, texts ...string) string {
	t.Helper()
	body := strings.Join(strings.Fields(w.Body.String()), " ")
	if w.Code != status {
		t.Errorf("status %d, want %d: %.300s", w.Code, status, body)
	}
	for _, want := range texts {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in %s", want, body)
		}
	}
	return body
}

// Every page and verb with every role and with none, and from foreign pages.
func TestWalk(t *testing.T) {
	f := newFixture(t)
	bad, err := admintest.Walk(t.Context(), &f.Site)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bad {
		t.Error(b)
	}
	for _, r := range f.Trail.Lines() {
		if strings.Contains(r, "published") || strings.Contains(r, "applied") || strings.Contains(r, "restored") {
			t.Errorf("an empty form has changed something: %s", r)
		}
	}
}

// Redaktion may draft; only Leitung may publish.
func TestOnlyLeitungPublishes(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/verwaltung/erscheinungsbild/veroeffentlichen", "/verwaltung/erscheinungsbild/versionen"} {
		if w := f.person(t, staff.Redaktion|staff.Verbund).Send(path, url.Values{"nummer": {"0"}}); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	says(t, f.person(t, staff.Leitung).Send("/verwaltung/erscheinungsbild/veroeffentlichen", nil), http.StatusConflict, "Es gibt keinen Entwurf")
}

// The list of work names everything that UX.md §8 asks for, the most visited
// first, and each task with its remedy.
func TestWork(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	body := says(t, p.Open("/verwaltung/inhalte"), http.StatusOK,
		"Gewerbe anmelden", "Lücke", "Für diese Leistung ist hier niemand zuständig.", "Link defekt", "Unter dieser Adresse gibt es keine Seite (Antwort 404).",
		"Im Text steht „xx“ (Kurztext).", "Brennholz kaufen", "Zuletzt geändert am 22. November 2024.",
		"Landkreis Osnabrück hat den Text zu dieser Leistung nach Ihrem Stand geändert.", "steht nicht im Register", "Jemand hat einen Fehler gemeldet.", "Was Sie tun können:")
	if gap, dog := strings.Index(body, "Gewerbe anmelden"), strings.Index(body, "Hund anmelden"); gap > dog {
		t.Error("what is visited most is not first")
	}
	if n := strings.Count(says(t, p.Open("/verwaltung/inhalte?art=defekt"), http.StatusOK), `class="pv-task"`); n != 1 {
		t.Errorf("%d tasks about broken links", n)
	}
	says(t, p.Open("/verwaltung"), http.StatusOK, "Ihre Aufgaben", "Alle Aufgaben ansehen")
	f.blocked.Take(blocklist.Decision{Issuer: hub, Host: "127.0.0.1", Blocked: true, Generation: 1})
	says(t, p.Open("/verwaltung/inhalte"), http.StatusOK, "Der Verbund hat die Adresse eines Links gesperrt.")
	f.own = nil
	says(t, p.Open("/verwaltung"), http.StatusOK, "Noch keine Leistungen veröffentlicht")
	says(t, p.Open("/verwaltung/inhalte"), http.StatusOK, "Noch keine Leistungen veröffentlicht")
}

func TestRecords(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	says(t, p.Open("/verwaltung/inhalte/leistungen"), http.StatusOK, "3 Leistungen", "eigene Leistung", keyHund.String())
	if body := says(t, p.Open("/verwaltung/inhalte/leistungen?q=hund"), http.StatusOK, "1 Leistung zu „hund“"); strings.Contains(body, "Brennholz") {
		t.Error("the search finds everything")
	}
	says(t, p.Open("/verwaltung/inhalte/leistungen?q=%3Cscript%3E"), http.StatusOK, "Zu „&lt;script&gt;“ gibt es keine Leistung.")
	says(t, p.Open("/verwaltung/inhalte/leistungen?ab=99999999999"), http.StatusOK)
	says(t, p.Open("/verwaltung/inhalte/leistung?id=t:hund"), http.StatusOK, "Die Leistung erscheint für den Ort: Bissendorf", "So sehen es Bürgerinnen und Bürger",
		`src="/verwaltung/erscheinungsbild/ansicht/jetzt/hell/seite?pfad=%2Fleistung%2F`+keyHund.String(), "Landkreis Osnabrück", "https://landkreis.example/leistung/", "Warum erscheint es?", "erfüllt")
	says(t, p.Open("/verwaltung/inhalte/leistung?id=t:hund&ort=034590024024"), http.StatusOK, "Die Leistung erscheint nicht für den Ort: Melle", "Warum erscheint es nicht?",
		"nicht erfüllt", "schließt Stadt Melle nicht ein")
	says(t, p.Open("/verwaltung/inhalte/leistung?id=t:ausweis"), http.StatusOK, "Prüfung vor der Veröffentlichung", "Sperrt", "steht nicht im Register")
	says(t, p.Open("/verwaltung/inhalte/leistung?id=t:nirgends"), http.StatusNotFound)
}

func TestLinksImportVisits(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	says(t, p.Open("/verwaltung/inhalte/links"), http.StatusOK, "defekt", "fehlt", "Zu dieser Leistung ist kein Link eingetragen.")
	if body := says(t, p.Open("/verwaltung/inhalte/links?zustand=broken"), http.StatusOK); strings.Contains(body, "kein Link eingetragen") {
		t.Error("the filter lets everything through")
	}
	says(t, p.Open("/verwaltung/inhalte/uebernahme"), http.StatusOK, "alle 6 Stunden", "Neue Inhalte sind veröffentlicht", "Die Stelle hat keine Telefonnummer.")
	says(t, p.Send("/verwaltung/inhalte/uebernahme", nil), http.StatusSeeOther)
	says(t, p.Open("/verwaltung/inhalte/aufrufe"), http.StatusOK, "Gewerbe anmelden", "Wir speichern nicht, wer sie gelesen hat.")
}

func TestRemarks(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	list, err := f.reports.List(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	ref := list[0].Reference
	says(t, p.Open("/verwaltung/inhalte/hinweise"), http.StatusOK, "Die Gebühr fehlt.", ref, "Gemeinde Bissendorf")
	long := strings.Repeat("ä", 601)
	says(t, p.Send("/verwaltung/inhalte/hinweise", url.Values{"kennung": {ref}, "antwort": {long}}), http.StatusUnprocessableEntity, "Die Antwort ist zu lang.", long)
	says(t, p.Send("/verwaltung/inhalte/hinweise", url.Values{"kennung": {"AAAA-AAAA-AAAA"}}), http.StatusNotFound)
	says(t, p.Send("/verwaltung/inhalte/hinweise", url.Values{"kennung": {ref}, "antwort": {"Danke. Die Gebühr steht jetzt da."}}), http.StatusSeeOther)
	if s, answer, err := f.reports.StateOf(t.Context(), ref); err != nil || s != report.Done || answer != "Danke. Die Gebühr steht jetzt da." {
		t.Errorf("%s %q %v", s, answer, err)
	}
	if !slices.ContainsFunc(f.Trail.Lines(), func(l string) bool { return strings.Contains(l, "remark-answered "+ref) }) {
		t.Errorf("trail: %v", f.Trail.Lines())
	}
}

// send posts a form with files like a browser does.
func send(p *admintest.Person, origin, path string, fields map[string]string, files map[string][]byte) *httptest.ResponseRecorder {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	_ = m.WriteField("csrf", p.Token()) // a buffer does not fail
	for k, v := range fields {
		_ = m.WriteField(k, v)
	}
	for name, data := range files {
		w, _ := m.CreateFormFile(name, name+".csv")
		_, _ = w.Write(data)
	}
	_ = m.Close()
	r := httptest.NewRequest(http.MethodPost, origin+path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Origin", origin)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range p.Cookies {
		r.AddCookie(c)
	}
	return p.Do(r)
}

var digest = regexp.MustCompile(`name="tabelle" value="([0-9a-f]+)"`)

// The round trip of a table: download, try with line numbers, apply.
func TestTable(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	says(t, p.Open("/verwaltung/inhalte/tabelle"), http.StatusOK, "Tabelle mit allen Leistungen herunterladen")
	w := p.Open("/verwaltung/inhalte/tabelle/leistungen.csv")
	if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") || !strings.Contains(w.Body.String(), "Neu ") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	set := func(column, value string) []byte {
		return f.sheet(t, func(head, row []string) { row[slices.Index(head, column)] = value })
	}
	column := ""
	f.sheet(t, func(head, _ []string) {
		for _, h := range head {
			if strings.HasPrefix(h, "Neu ") && column == "" {
				column = h
			}
		}
	})
	for what, table := range map[string][]byte{"nothing": nil, "no table": []byte("x;y\n1;2"), "not UTF-8": []byte("Kennung;Neu Titel\nt:hund;\xff\xfe")} {
		if w := send(p, f.Origin, "/verwaltung/inhalte/tabelle/pruefen", nil, map[string][]byte{"tabelle": table}); w.Code != http.StatusUnprocessableEntity && what != "not UTF-8" {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	says(t, send(p, f.Origin, "/verwaltung/inhalte/tabelle/pruefen", nil, map[string][]byte{"tabelle": []byte("Kennung;" + column + "\nt:gibt-es-nicht;Neu\n")}), http.StatusOK,
		"So kann die Tabelle nicht übernommen werden", "Zeile 2:", "Diese Kennung gibt es im Katalog nicht.")
	body := says(t, send(p, f.Origin, "/verwaltung/inhalte/tabelle/pruefen", nil, map[string][]byte{"tabelle": set(column, "Hund melden")}), http.StatusOK,
		"Die Tabelle ist in Ordnung", "t:hund", "Hund melden", "Änderungen übernehmen")
	if len(f.applied) > 0 {
		t.Error("a try has changed something")
	}
	m := digest.FindStringSubmatch(body)
	if m == nil {
		t.Fatal("no digest")
	}
	// Nobody else can apply it, and not another one.
	other, err := f.SignIn(t.Context(), staff.Leitung)
	if err != nil {
		t.Fatal(err)
	}
	says(t, other.Send("/verwaltung/inhalte/tabelle/uebernehmen", url.Values{"tabelle": m[1:]}), http.StatusUnprocessableEntity, "Bitte laden Sie die Tabelle noch einmal hoch.")
	says(t, p.Send("/verwaltung/inhalte/tabelle/uebernehmen", url.Values{"tabelle": {strings.Repeat("0", 64)}}), http.StatusUnprocessableEntity)
	says(t, p.Send("/verwaltung/inhalte/tabelle/uebernehmen", url.Values{"tabelle": m[1:]}), http.StatusSeeOther)
	if len(f.applied) != 1 || !strings.HasSuffix(f.applied[0], "Hund melden") {
		t.Errorf("applied %q", f.applied)
	}
	// A node with a source only tries.
	f.imp.Source = "/var/lib/bus"
	if body := says(t, send(p, f.Origin, "/verwaltung/inhalte/tabelle/pruefen", nil, map[string][]byte{"tabelle": set(column, "Hund melden")}), http.StatusOK, "Sie können hier nur prüfen"); digest.MatchString(body) {
		t.Error("it could be applied")
	}
}

// lookFields is the form as the page shows it, changed.
func (f *fixture) lookFields(t *testing.T, p *admintest.Person, change map[string]string) map[string]string {
	t.Helper()
	body := p.Open("/verwaltung/erscheinungsbild").Body.String()
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`<input [^>]*name="([a-z-]+)"[^>]*type="(?:text|number|hidden)"[^>]*value="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		out[m[1]] = m[2]
	}
	stand := regexp.MustCompile(`name="stand" value="(\d+)"`).FindStringSubmatch(body)
	out["stand"] = stand[1]
	delete(out, "csrf")
	out["titelbild-schmuck"] = "ja"
	for k, v := range change {
		out[k] = v
	}
	return out
}

func TestLook(t *testing.T) {
	f := newFixture(t)
	p, boss := f.person(t, staff.Redaktion), f.person(t, staff.Leitung)
	body := says(t, send(p, f.Origin, "/verwaltung/erscheinungsbild", f.lookFields(t, p, map[string]string{"farbe": "#f2b705", "gruss": "Moin"}), nil),
		http.StatusUnprocessableEntity, "zu hell für Links", "Vorschlag übernehmen", `value="#f2b705"`, "Alles andere ist im Entwurf gespeichert.")
	proposal := regexp.MustCompile(`name="vorschlag" value="(#[0-9a-f]{6})"`).FindStringSubmatch(body)
	if proposal == nil {
		t.Fatal("no proposal")
	}
	says(t, send(p, f.Origin, "/verwaltung/erscheinungsbild", f.lookFields(t, p, map[string]string{"vorschlag": proposal[1], "wappen-alt": "Wappen"}), map[string][]byte{"wappen": []byte(coat)}),
		http.StatusUnprocessableEntity, "Bitte bestätigen Sie, dass Sie dieses Bild verwenden dürfen.")
	says(t, send(p, f.Origin, "/verwaltung/erscheinungsbild", f.lookFields(t, p, map[string]string{"wappen-recht": "ja", "wappen-alt": "Neues Wappen"}),
		map[string][]byte{"wappen": []byte(strings.Replace(coat, "<path", "<script>x()</script><path", 1))}), http.StatusSeeOther)
	if f.web.Brand().Greeting != "Willkommen" {
		t.Error("a draft is shown to everybody")
	}
	for _, stand := range []string{"jetzt", "entwurf"} {
		w := p.Open("/verwaltung/erscheinungsbild/ansicht/" + stand + "/dunkel/seite?pfad=%2F")
		if got := strings.Contains(w.Body.String(), "Moin"); w.Code != http.StatusOK || got != (stand == "entwurf") {
			t.Errorf("%s: %d, shows the draft: %v", stand, w.Code, got)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox allow-same-origin; ") || !strings.Contains(csp, "frame-ancestors 'self'") {
			t.Errorf("policy %q", csp)
		}
	}
	w := p.Open("/verwaltung/erscheinungsbild/ansicht/entwurf/hell/wappen")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || strings.Contains(w.Body.String(), "script") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for _, path := range []string{"gestern/hell/seite?pfad=/", "jetzt/lila/seite?pfad=/", "jetzt/hell/suche.js", "jetzt/hell/seite?pfad=/konto", "jetzt/hell/seite?pfad=https://boese.example/"} {
		if w := p.Open("/verwaltung/erscheinungsbild/ansicht/" + path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if csp := p.Open("/verwaltung/erscheinungsbild/vorschau").Header().Get("Content-Security-Policy"); !strings.Contains(csp, "frame-src 'self'") {
		t.Errorf("policy %q", csp)
	}
	says(t, boss.Send("/verwaltung/erscheinungsbild/veroeffentlichen", nil), http.StatusSeeOther)
	if b := f.web.Brand(); b.Greeting != "Moin" || b.Color.String() != proposal[1] || b.Wappen.Alt != "Neues Wappen" {
		t.Errorf("%+v", b)
	}
	says(t, boss.Open("/verwaltung/erscheinungsbild/versionen"), http.StatusOK, "wird jetzt gezeigt", "aus der Konfiguration")
	says(t, boss.Send("/verwaltung/erscheinungsbild/versionen", url.Values{"nummer": {"0"}}), http.StatusSeeOther)
	if f.web.Brand().Greeting != "Willkommen" {
		t.Error("the previous version is not back")
	}
	trail := fmt.Sprint(f.Trail.Lines())
	for _, want := range []string{"brand-draft", "brand-published version 1", "brand-restored version 2"} {
		if !strings.Contains(trail, want) {
			t.Errorf("%q is not in the trail %s", want, trail)
		}
	}
}

// Two people who have the form open do not overwrite each other.
func TestLookOfTwo(t *testing.T) {
	f := newFixture(t)
	p := f.person(t, staff.Redaktion)
	old := f.lookFields(t, p, map[string]string{"gruss": "Zweite"})
	says(t, send(p, f.Origin, "/verwaltung/erscheinungsbild", f.lookFields(t, p, map[string]string{"gruss": "Erste"}), nil), http.StatusSeeOther)
	says(t, send(p, f.Origin, "/verwaltung/erscheinungsbild", old, nil), http.StatusUnprocessableEntity, "Jemand anderes hat den Entwurf geändert", `value="Zweite"`)
	says(t, p.Send("/verwaltung/erscheinungsbild/verwerfen", nil), http.StatusSeeOther)
	if _, ok, _ := f.brand.Draft(t.Context()); ok {
		t.Error("the draft is still there")
	}
}
