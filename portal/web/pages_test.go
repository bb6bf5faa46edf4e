package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
)

// visit returns status, text without tags, and the page as sent.
func visit(t testing.TB, h http.Handler, path string, cookies ...*http.Cookie) (int, string, *httptest.ResponseRecorder) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec.Code, plain(rec.Body.String()), rec
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

func plain(html string) string {
	s := tags.ReplaceAllString(html, " ")
	for from, to := range map[string]string{"&#34;": `"`, "&amp;": "&", "&#39;": "'", "&#43;": "+"} {
		s = strings.ReplaceAll(s, from, to)
	}
	return blanks.ReplaceAllString(s, " ")
}

// Each state of the reference is reached by a cause and says its text.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		name, path string
		status     int
		change     func(*fixture)
		want       []string
		not        []string
	}{
		{name: "no hit", path: "/suche?q=Baumf%C3%A4llantrag", want: []string{"Wir haben nichts gefunden", "Zu „Baumfällantrag“ gibt es in Bissendorf keinen Treffer.", "Behördennummer 115"}},
		{name: "hit elsewhere", path: "/suche?q=Gewerbe", want: []string{"Wir haben nichts gefunden", "In allen Orten im Landkreis Osnabrück suchen (1 Treffer)"}},
		{name: "empty search", path: "/suche", want: []string{"Was möchten Sie erledigen?", "Geben Sie ein Wort ein oder wählen Sie eine Lebenslage."}},
		{name: "typo helped", path: "/suche?q=Bauplahn", want: []string{"Wir haben auch nach „Bauplan“ gesucht.", "Nur „Bauplahn“ suchen"}},
		{name: "PLZ invalid", path: "/suche?q=Hund&ort=4914", want: []string{"Eine Postleitzahl hat fünf Ziffern. Bitte prüfen Sie Ihre Eingabe."}},
		{name: "place outside", path: "/suche?q=Hund&ort=Berlin", want: []string{"Dieser Ort gehört nicht zum Verbund", "Wir kennen nur Orte im Landkreis Osnabrück. Für andere Orte hilft Ihnen die bundesweite Suche weiter."}},
		{name: "place outside by key", path: "/leistung/" + keyHund.String() + "/01001000", status: 404, want: []string{"Dieser Ort gehört nicht zum Verbund"}},
		{name: "several places", path: "/ort?plz=49999", change: severalPlaces, want: []string{"Zu 49999 gehören zwei Orte", "Wo wohnen Sie?", "Gemeinde Bissendorf", "Stadt Melle"}},
		{name: "no authority", path: "/leistung/" + keyNobody.String() + "/03459012", want: []string{"Wir wissen nicht, wer zuständig ist", "Für „Gewerbe anmelden“ in Bissendorf ist noch keine Behörde eingetragen. Fragen Sie bitte bei der Gemeinde Bissendorf nach: Telefon 05402 404-0."}, not: []string{"Wir haben den Landkreis über die Lücke informiert"}},
		{name: "no authority, reported", path: "/leistung/" + keyNobody.String() + "/03459012", change: func(f *fixture) { f.cfg.ReportGap = func(leika.ID, region.Area) bool { return true } }, want: []string{"Wir haben den Landkreis über die Lücke informiert."}},
		{name: "cannot know", path: "/leistung/" + keyNobody.String() + "/03459012", change: unheard, want: []string{"Wir können es gerade nicht sagen", "Das Portal der Gemeinde Bad Essen antwortet nicht."}, not: []string{"Wir wissen nicht, wer zuständig ist"}},
		{name: "several authorities", path: "/leistung/" + keyConflict.String() + "/03459012", want: []string{"Sie können wählen", "Für „Parkausweis beantragen“ gibt es zwei Stellen. Beide bearbeiten Ihren Antrag."}},
		{name: "not online", path: "/leistung/" + keyAusweis.String() + "/03459012", want: []string{"Diesen Antrag gibt es noch nicht online"}, not: []string{"Online beantragen"}},
		{name: "data old", path: "/leistung/" + keyHund.String() + "/03459024", want: []string{"Diese Angaben sind nicht ganz aktuell", "Stand: 19. November 2026. Das Portal der Stadt Melle meldet sich zurzeit nicht. Prüfen Sie Kosten und Öffnungszeiten bitte am Telefon."}},
		{name: "peer offline, list", path: "/suche?q=Brennholz", want: []string{"Ein Portal antwortet gerade nicht", "Wir zeigen die Angaben vom 19. November 2026. Anträge dort sind im Moment nicht möglich.", "Angaben vom 19. November 2026", "Angebot aus einem Nachbarort"}},
		{name: "peer offline, apply", path: "/zu/melle.example/T:mel-1", status: 503, want: []string{"Der Antrag ist gerade nicht erreichbar", "Das Portal der Stadt Melle antwortet seit 10:12 Uhr nicht. Versuchen Sie es später noch einmal oder rufen Sie an: 05422 965-77."}},
		{name: "404", path: "/gibt-es-nicht", status: 404, want: []string{"Diese Seite gibt es nicht", "Vielleicht hat sich die Adresse geändert. Suchen Sie hier nach der Leistung."}},
		{name: "500", path: "/t/500", status: 500, want: []string{"Das hat nicht geklappt", "Der Fehler liegt bei uns. Kennung für Rückfragen: "}, not: []string{"disk on fire"}},
		{name: "signed out", path: "/t/loggedout", want: []string{"Sie sind abgemeldet", "Antwortet noch nicht"}},
		{name: "account sources", path: "/t/choice", want: []string{"Für Ihren Ort", "Bürgerkonto Landkreis Osnabrück", "Weitere Anmeldewege", "BundID", "Alle Anmeldewege zeigen"}},
		{name: "no account source", path: "/t/nochoice", want: []string{"Dazu haben wir keinen Anmeldeweg gefunden."}, not: []string{"Eine Anmeldung ist hier nicht möglich"}},
		{name: "link", path: "/t/link", want: []string{"Gehört beides zu Ihnen?", "Sie sind angemeldet als Erika Muster. Gerade haben Sie sich auch hier angemeldet: Online-Ausweis.", "Ja, verbinden"}},
		{name: "login failed", path: "/t/wrong", want: []string{"Die Anmeldung hat nicht geklappt", "Sie können auch ohne Anmeldung weiterlesen."}},
		{name: "own", path: "/leistung/" + keyHund.String() + "/03459012", want: []string{"Zuständig für Bissendorf: Gemeinde Bissendorf", "Die Gemeinde Bissendorf bearbeitet diesen Antrag selbst.", "Der Antrag öffnet sich in diesem Portal."}},
		{name: "upward", path: "/leistung/" + keyBauakte.String() + "/03459012", want: []string{"Die Gemeinde Bissendorf hat diese Aufgabe nicht. Darum ist der Landkreis Osnabrück zuständig.", "Der Antrag öffnet sich im Portal des Landkreises Osnabrück. Wenn Sie hier angemeldet sind, sind Sie auch dort angemeldet.", "Vertrauensniveau substanziell", "LeiKa-Schlüssel: 99012024000000", "AGS 03459012"}},
		{name: "whole area", path: "/angebot/abfall.example/T:abf-1", want: []string{"Dieses Angebot gilt für alle Orte im Landkreis Osnabrück."}},
		{name: "delegated", path: "/leistung/" + keyKfz.String() + "/03459012", change: delegated, want: []string{"Der Landkreis Osnabrück hat diese Aufgabe der Stadt Melle übertragen."}},
		{name: "each Gemeinde itself", path: "/leistung/" + keyHund.String() + "/03459", want: []string{"Gemeinde Bissendorf", "Stadt Melle"}},
		{name: "change ahead", path: "/leistung/" + keyBauakte.String() + "/03459012", change: changeAhead, want: []string{"Ab 1. Januar 2027 ist dafür die Gemeinde Bissendorf zuständig."}},
		{name: "Leichte Sprache missing", path: "/leichte-sprache", want: []string{"Diese Seite gibt es noch nicht in Leichter Sprache."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture()
			if c.change != nil {
				c.change(f)
			}
			status, text, _ := visit(t, routes(f.web(t)), c.path)
			if c.status == 0 {
				c.status = 200
			}
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for _, w := range c.want {
				if !strings.Contains(text, w) {
					t.Errorf("%q is not in:\n%s", w, text)
				}
			}
			for _, n := range c.not {
				if strings.Contains(text, n) {
					t.Errorf("%q must not be in:\n%s", n, text)
				}
			}
			if i := strings.Index(text, " ["); i >= 0 && !strings.Contains(text, "[demo]") {
				t.Errorf("a text is missing: %s", text[i:min(len(text), i+60)])
			}
		})
	}
}

func severalPlaces(f *fixture) {
	if _, err := f.cfg.Register.AddPLZ(strings.NewReader("49999;03459012\n49999;03459024\n")); err != nil {
		panic(err)
	}
}

// unheard adds a member of which no copy was ever held.
func unheard(f *fixture) {
	m := member("https://bad-essen.example", "Gemeinde Bad Essen", "Bad Essen", federation.KindGemeinde, region.MustArea("034590002002"), "")
	m.Scope.Areas = append(m.Scope.Areas, areaBissendorf)
	f.dir.Replace(directory.Source{Member: m})
}

// delegated lets the Landkreis give a task to Melle for Bissendorf.
func delegated(f *fixture) {
	lk, me := f.edited(0), f.edited(2)
	lk.Catalogue.Delegations = []catalog.Delegation{{ID: "T:d", Leika: keyKfz, Areas: []region.Area{areaBissendorf}, To: melle}}
	me.Catalogue.Offers = append(me.Catalogue.Offers, offer(melle, 5, keyKfz, "Fahrzeug abmelden", "Kurz.", areaBissendorf, federation.LevelBasis, true))
	me.Member.Scope.Areas = append(me.Member.Scope.Areas, areaBissendorf)
	f.dir.Replace(lk, me)
}

// changeAhead lets Bissendorf take over a task next year.
func changeAhead(f *fixture) {
	bi := f.edited(1)
	o := offer(bissendorf, 8, keyBauakte, "Bauplan einsehen", "Kurz.", areaBissendorf, federation.LevelBasis, true)
	o.Zustaendigkeiten[0].Valid.From = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	bi.Catalogue.Offers = append(bi.Catalogue.Offers, o)
	f.dir.Replace(bi)
}

// A PLZ of several places leads to the choice and back to the search.
func TestSeveralPlacesAskAndReturn(t *testing.T) {
	f := newFixture()
	severalPlaces(f)
	h := routes(f.web(t))
	status, _, rec := visit(t, h, "/suche?q=Hund&ort=49999")
	if status != http.StatusSeeOther {
		t.Fatalf("status %d", status)
	}
	_, _, rec = visit(t, h, rec.Header().Get("Location"))
	if !strings.Contains(rec.Body.String(), `name="ziel" value="/suche?q=Hund"`) {
		t.Fatalf("the way back is lost: %s", rec.Body)
	}
	_, _, rec = visit(t, h, "/ort?ziel="+url.QueryEscape("/suche?q=Hund")+"&ort=03459024&merken=1")
	if got := rec.Header().Get("Location"); got != "/suche?ort=03459024&q=Hund" {
		t.Errorf("leads to %q", got)
	}
	cookies := rec.Result().Cookies()
	if len(cookies) != 1 || cookies[0].Value != "03459024" || !cookies[0].HttpOnly {
		t.Fatalf("the place was not remembered as asked: %v", cookies)
	}
	if _, text, _ := visit(t, h, "/suche?q=Hund", cookies[0]); !strings.Contains(text, "in Melle") {
		t.Error("the remembered place is not used")
	}
}

func TestPlaceIsOnlyRememberedWhenAsked(t *testing.T) {
	h := routes(newFixture().web(t))
	for _, p := range []string{"/", "/suche?q=Hund&ort=Melle", "/ort?ziel=/&ort=03459024"} {
		if _, _, rec := visit(t, h, p); len(rec.Result().Cookies()) > 0 {
			t.Errorf("%s set a cookie", p)
		}
	}
}

// The target of the choice stays inside the portal.
func TestPlaceChoiceNeverLeavesThePortal(t *testing.T) {
	h := routes(newFixture().web(t))
	for _, evil := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/%0d%0aX: y", "\\\\evil.example", "/\t/evil.example"} {
		_, _, rec := visit(t, h, "/ort?ort=03459024&ziel="+url.QueryEscape(evil))
		loc := rec.Header().Get("Location")
		if u, err := url.Parse(loc); err != nil || u.Host != "" || u.Scheme != "" || strings.HasPrefix(loc, "//") {
			t.Errorf("%q leads to %q", evil, loc)
		}
	}
}

func TestApplyLeadsToTarget(t *testing.T) {
	f := newFixture()
	f.cfg.Target = func(m federation.Member, d catalog.Onlinedienst) string { return m.ID.URL("/anmelden/start?x=1") }
	h := routes(f.web(t))
	status, _, rec := visit(t, h, "/zu/landkreis.example/T:lan-1?dienst=T:lan-1-o&ort=03459012")
	if status != http.StatusSeeOther || rec.Header().Get("Location") != "https://landkreis.example/anmelden/start?x=1" {
		t.Errorf("%d %s", status, rec.Header().Get("Location"))
	}
	if rec.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Error("the address of the page travels along")
	}
	for _, p := range []string{"/zu/landkreis.example/T:lan-1?dienst=other", "/zu/landkreis.example/none", "/zu/evil.example/T:lan-1"} {
		if status, _, _ := visit(t, h, p); status != http.StatusNotFound {
			t.Errorf("%s: %d", p, status)
		}
	}
}

func TestSignedIn(t *testing.T) {
	f := newFixture()
	f.person = &web.Person{Name: "Erika Muster", Level: federation.LevelBasis, Issuer: "Landkreis Osnabrück", Since: now.Add(-time.Hour), Until: now.Add(4*time.Minute + 10*time.Second), Portals: []string{"Stadt Melle"}}
	h := routes(f.web(t))
	cookie := &http.Cookie{Name: "rn", Value: "x"}
	_, text, rec := visit(t, h, "/leistung/"+keyBauakte.String()+"/03459012", cookie)
	for _, want := range []string{"Erika Muster", "Für diesen Antrag reicht Ihre Anmeldung noch nicht", "Sie sind mit Name und Passwort angemeldet.", "Sind Sie noch da?", "In 4 Minuten melden wir Sie zu Ihrem Schutz ab."} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if cc := rec.Header().Get("Cache-Control"); cc != "no-store" {
		t.Errorf("a page of a signed-in person has Cache-Control %q", cc)
	}
	if _, text, _ := visit(t, h, "/leistung/"+keyBauakte.String()+"/03459012"); strings.Contains(text, "Erika") {
		t.Error("somebody else sees the name")
	}
	_, text, _ = visit(t, h, "/konto", cookie)
	for _, want := range []string{"Erika Muster", "Landkreis Osnabrück", "Stadt Melle", "Überall abmelden"} {
		if !strings.Contains(text, want) {
			t.Errorf("account: %q is not in %s", want, text)
		}
	}
}

func TestDemonstrationForm(t *testing.T) {
	f := newFixture()
	h := routes(f.web(t))
	post := func(body string) string {
		r := httptest.NewRequest(http.MethodPost, "/antrag/T:bis-1", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return plain(rec.Body.String())
	}
	if text := post("anliegen=Test"); !strings.Contains(text, "Wir haben nichts gespeichert und nichts verschickt.") {
		t.Error(text)
	}
	if text := post("anliegen="); !strings.Contains(text, "Schreiben Sie bitte, was Sie beantragen möchten.") {
		t.Error(text)
	}
	if _, text, _ := visit(t, h, "/antrag/T:bis-1"); !strings.Contains(text, "Hund anmelden") {
		t.Errorf("the form is not named after its service: %s", text)
	}
	f.person = &web.Person{Name: "Erika Muster", Level: federation.LevelNiedrig}
	_, text, rec := visit(t, routes(f.web(t)), "/antrag/T:bis-1?stufe=1&entwurf=1", &http.Cookie{Name: "rn", Value: "x"})
	for _, want := range []string{"Sie sind mit Name und Passwort angemeldet. Zum Absenden brauchen Sie den Online-Ausweis oder ELSTER. Ihre Eingaben bleiben erhalten.", "Ihre Eingaben sind noch da", "Weiter zum Nachweis"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	if body := rec.Body.String(); !strings.Contains(body, "Ein &lt;b&gt;Dach&lt;/b&gt;</textarea>") || !strings.Contains(body, `value="Erika Muster"`) {
		t.Error("what was typed is not in the form")
	}
	f.cfg.Demo = false
	if status, _, _ := visit(t, routes(f.web(t)), "/antrag/T:bis-1"); status != http.StatusNotFound {
		t.Error("the form exists outside a demonstration")
	}
}

func TestReportGoesToTheOwner(t *testing.T) {
	f := newFixture()
	post := func(body string) string {
		r := httptest.NewRequest(http.MethodPost, "/fehler-melden", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		routes(f.web(t)).ServeHTTP(rec, r)
		return plain(rec.Body.String())
	}
	about := "angebot=" + url.QueryEscape("landkreis.example T:lan-1")
	for body, want := range map[string]string{
		"&text=Die+Kosten+stimmen+nicht":     "Ihr Hinweis ist angekommen Vielen Dank. Kennung für Rückfragen: 7F3K-21QD.",
		"&text=":                             "Schreiben Sie bitte, was falsch ist.",
		"&text=" + strings.Repeat("a", 2001): "Höchstens 2.000 Zeichen sind möglich.",
		"&text=fail":                         "Ihr Hinweis ist nicht angekommen",
	} {
		if text := post(about + body); !strings.Contains(text, want) {
			t.Errorf("%.40s: %q is not in %s", body, want, text)
		}
	}
	f.silent = true
	if text := post(about + "&text=Noch+einmal"); !strings.Contains(text, "Wir versuchen es weiter.") {
		t.Error(text)
	}
	if len(f.reports) != 2 || !strings.HasPrefix(f.reports[0], "https://landkreis.example T:lan-1 ") {
		t.Errorf("taken: %q", f.reports)
	}
	f.cfg.Reports = nil
	_, text, rec := visit(t, routes(f.web(t)), "/fehler-melden?"+about)
	if strings.Contains(rec.Body.String(), "<textarea") || !strings.Contains(text, "Sagen Sie es bitte der Stelle") || !strings.Contains(text, "0541 501-11") {
		t.Errorf("without a way to deliver, a form is shown or no contact: %s", text)
	}
}

// The owner of a text was revoked while its page was open: the remark goes to
// the citizen's own municipality, and the page says so.
func TestReportAboutWhoHasLeft(t *testing.T) {
	h := routes(newFixture().web(t))
	if _, text, _ := visit(t, h, "/fehler-melden?angebot=weg.example+T:1"); !strings.Contains(text, "gehört nicht mehr zum Verbund. Ihr Hinweis geht an: Gemeinde Bissendorf.") {
		t.Errorf("it does not say where the remark goes: %s", text)
	}
}

func TestStateOfAReport(t *testing.T) {
	h := routes(newFixture().web(t))
	for ref, want := range map[string]string{
		"open": "Ihr Hinweis ist offen", "done": "Ihr Hinweis ist erledigt", "waiting": "Wir versuchen es weiter. Kennung: WAITING.",
		"left": "Dieses Portal gehört nicht mehr zum Verbund",
		"gone": "Prüfen Sie bitte die Kennung „GONE“.", "down": "Wir können den Stand gerade nicht sagen", strings.Repeat("x", 41): "Diesen Hinweis kennen wir nicht",
	} {
		_, text, rec := visit(t, h, "/fehler-melden?referenz="+ref)
		if !strings.Contains(text, want) || strings.Contains(rec.Body.String(), "<textarea") {
			t.Errorf("%s: %q is not in it, or a form is: %s", ref, want, text)
		}
	}
}

func TestEnglish(t *testing.T) {
	h := routes(newFixture().web(t))
	_, text, rec := visit(t, h, "/leistung/"+keyBauakte.String()+"/03459012?lang=en")
	for _, want := range []string{"View building plans", "Responsible for Bissendorf", "Therefore Landkreis Osnabrück is responsible", "only available in German"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	html := rec.Body.String()
	for _, want := range []string{`<html lang="en">`, `itemprop="description" lang="de"`, `href="/leistungen?lang=en&amp;ort=03459012"`, `lang="de" hreflang="de"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(html, `itemprop="name" lang=`) {
		t.Error("the English title is marked as German")
	}
}

// ownScript is a script of the portal's own; there is no other.
var ownScript = regexp.MustCompile(`<script src="/static/(suche|passkey)\.[0-9a-f]{12}\.js" defer></script>`)

// The policy allows a script only where the search form is, or a passkey is
// asked for, and no inline one; a passkey's script may not even ask the portal.
func TestScriptOnlyWhereItHelps(t *testing.T) {
	h := routes(newFixture().web(t))
	for _, p := range allPages() {
		_, _, rec := visit(t, h, p)
		html, csp := rec.Body.String(), rec.Header().Get("Content-Security-Policy")
		want, policy := "", ""
		switch {
		case strings.Contains(html, "data-suggest"):
			want, policy = "suche", "; script-src 'self'; connect-src 'self'"
		case strings.Contains(html, "data-passkey"):
			want, policy = "passkey", "; script-src 'self'"
		}
		got := ""
		if m := ownScript.FindStringSubmatch(html); m != nil {
			got = m[1]
		}
		_, rest, _ := strings.Cut(csp, "; script-src")
		if rest != "" {
			rest = "; script-src" + rest
		}
		if got != want || rest != policy || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: script %q, want %q, policy %q", p, got, want, csp)
		}
		if strings.HasPrefix(p, "/einbetten?q=") && got != "" {
			t.Errorf("%s: an embedded page runs a script", p)
		}
	}
}

// Nothing that needs a script, no inline style, nothing from elsewhere.
func TestPagesNeedNoScript(t *testing.T) {
	h := routes(newFixture().web(t))
	active := regexp.MustCompile(`(?i)<script|\son[a-z]+=|javascript:|\sstyle=|<style|<iframe|<object|<embed|@import`)
	loaded := regexp.MustCompile(`(?i)(?:<(?:img|link)[^>]*(?:src|href)=|<form[^>]*action=)"([^"]*)"`)
	for _, p := range allPages() {
		_, _, rec := visit(t, h, p)
		html := ownScript.ReplaceAllString(rec.Body.String(), "")
		if m := active.FindString(html); m != "" {
			t.Errorf("%s holds %q", p, m)
		}
		for _, m := range loaded.FindAllStringSubmatch(html, -1) {
			if !strings.HasPrefix(m[1], "/") && !strings.Contains(m[0], `rel="canonical"`) {
				t.Errorf("%s uses %s", p, m[0])
			}
		}
		if rec.Code < 300 || rec.Code >= 400 {
			if csp := rec.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action 'self'") || !strings.Contains(csp, "base-uri 'none'") {
				t.Errorf("%s has policy %q", p, csp)
			}
		}
	}
}

// Forms of sign-on may lead on to the members' portals, others not.
func TestFormTargets(t *testing.T) {
	f := newFixture()
	f.cfg.FormTargets = func() []string {
		return []string{"https://bundid.example/saml", "javascript:alert(1)", "https://x.example;script-src *"}
	}
	h := routes(f.web(t))
	_, _, rec := visit(t, h, "/t/login")
	csp := rec.Header().Get("Content-Security-Policy")
	for _, want := range []string{"https://melle.example", "https://bundid.example"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s is not in %s", want, csp)
		}
	}
	for _, bad := range []string{"javascript", "script-src"} {
		if strings.Contains(csp, bad) {
			t.Errorf("%s got into %s", bad, csp)
		}
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		t.Error("the login page may be kept")
	}
	if _, _, rec := visit(t, h, "/suche"); strings.Contains(rec.Header().Get("Content-Security-Policy"), "melle") {
		t.Error("a search page may post elsewhere")
	}
}

// The legal pages name the law of the Land that the network lies in.
func TestLawOfTheLand(t *testing.T) {
	f := newFixture()
	h := routes(f.web(t))
	for path, want := range map[string]string{
		"/barrierefreiheit": "Dafür gilt das Niedersächsische Behindertengleichstellungsgesetz.",
		"/datenschutz":      "bei der Datenschutzaufsicht des Landes Niedersachsen beschweren.",
	} {
		if _, text, _ := visit(t, h, path); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q: %s", path, want, text)
		}
	}
	f.cfg.Area, f.cfg.Verbund = region.Area{}, "Verbund"
	if _, text, _ := visit(t, routes(f.web(t)), "/barrierefreiheit"); !strings.Contains(text, "von Menschen mit Behinderungen Ihres Landes.") {
		t.Errorf("without a Land: %s", text)
	}
}

// A Bearbeitungsdauer is told as a day, relative to who reads today.
func TestAnswerIsADay(t *testing.T) {
	h := routes(newFixture().web(t))
	for path, want := range map[string]string{
		"/leistung/" + keyBauakte.String() + "/03459012":         "Wenn Sie den Antrag heute stellen, haben Sie die Antwort etwa bis zum 4. Dezember 2026.",
		"/leistung/" + keyBauakte.String() + "/03459012?lang=en": "If you apply today, you will have the answer by about 4 December 2026.",
	} {
		if _, text, _ := visit(t, h, path); !strings.Contains(text, want) {
			t.Errorf("%s does not say %q: %s", path, want, text)
		}
	}
}

// Anonymous pages are kept and tagged, until the index changes.
func TestPageCache(t *testing.T) {
	f := newFixture()
	h := routes(f.web(t))
	path := "/leistung/" + keyHund.String() + "/03459012"
	_, _, first := visit(t, h, path)
	tag := first.Header().Get("ETag")
	if tag == "" {
		t.Fatal("no ETag")
	}
	again := func(want int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", tag)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("status %d, want %d", rec.Code, want)
		}
	}
	again(http.StatusNotModified)
	src := f.edited(1)
	src.Catalogue.Offers[0].Title = de("Hund anmelden und Steuer zahlen")
	f.dir.Replace(src)
	again(http.StatusOK)
}

func TestCompressedIsTheSame(t *testing.T) {
	h := routes(newFixture().web(t))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, plainRec := visit(t, h, "/"); plainRec.Body.String() != string(b) {
		t.Error("compressed and plain page differ")
	}
}

// Sizes of what a result page needs, in bytes as sent.
func TestBudget(t *testing.T) {
	f := newFixture()
	var many []catalog.Offer
	for i := range 40 {
		many = append(many, offer(kreis, 100+i, 0, "Bauvorhaben anzeigen und genehmigen lassen", strings.Repeat("Sie möchten bauen und brauchen dafür eine Genehmigung. ", 3), areaKreis, federation.LevelSubstanziell, true))
	}
	src := f.edited(0)
	src.Catalogue.Offers = append(src.Catalogue.Offers, many...)
	f.dir.Replace(src)
	h := routes(f.web(t))
	r := httptest.NewRequest(http.MethodGet, "/suche?q=Bauvorhaben", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if n := rec.Body.Len(); n > 15<<10 {
		t.Errorf("a result page has %d bytes", n)
	} else {
		t.Logf("result page with 20 hits: %d bytes", n)
	}
}

func TestPaging(t *testing.T) {
	f := newFixture()
	src := f.edited(0)
	for i := range 45 {
		src.Catalogue.Offers = append(src.Catalogue.Offers, offer(kreis, 100+i, 0, "Bauvorhaben "+string(rune('A'+i%26)), "Kurz.", areaKreis, federation.LevelNone, i%2 == 0))
	}
	f.dir.Replace(src)
	h := routes(f.web(t))
	_, text, rec := visit(t, h, "/suche?q=Bauvorhaben")
	if !strings.Contains(text, "45 Treffer für „Bauvorhaben“ in Bissendorf") || !strings.Contains(text, "20 weitere Treffer zeigen") || !strings.Contains(text, "Nur Online-Dienste (23)") {
		t.Error(text)
	}
	if strings.Contains(rec.Body.String(), "(0)") {
		t.Error("a choice with no hits is offered")
	}
	_, text, rec = visit(t, h, "/suche?q=Bauvorhaben&seite=3")
	if !strings.Contains(rec.Body.String(), `start="41"`) || strings.Contains(text, "weitere Treffer zeigen") || !strings.Contains(text, "Vorherige Treffer zeigen") {
		t.Error(text)
	}
}

// Catalogue texts cannot bring markup into a page.
func TestForeignMarkupIsHarmless(t *testing.T) {
	f := newFixture()
	src := f.edited(0)
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	o := offer(kreis, 50, keyStelle, evil, evil, areaKreis, federation.LevelNone, true)
	o.Sections = append(o.Sections, catalog.Section{Kind: catalog.Hinweise, Text: de(evil + `<a href="javascript:alert(1)">x</a>`)})
	src.Catalogue.Offers = append(src.Catalogue.Offers, o)
	src.Catalogue.Units[0].Name = de(evil)
	src.Member.Name = evil
	f.dir.Replace(src)
	h := routes(f.web(t))
	for _, p := range []string{"/leistung/" + keyStelle.String() + "/03459012", "/suche?q=" + url.QueryEscape(evil), "/suche?ort=" + url.QueryEscape(evil), "/behoerden", "/leistungen", "/ort?plz=" + url.QueryEscape(evil) + "&ziel=" + url.QueryEscape(evil)} {
		_, _, rec := visit(t, h, p)
		if html := ownScript.ReplaceAllString(rec.Body.String(), ""); strings.Contains(html, "<script") || strings.Contains(html, "<img src=x") || strings.Contains(html, `href="javascript`) {
			t.Errorf("%s holds foreign markup", p)
		}
	}
}

func TestSitemapAndRobots(t *testing.T) {
	f := newFixture()
	f.cfg.Demo = false
	h := routes(f.web(t))
	_, _, rec := visit(t, h, "/sitemap.xml")
	if !strings.Contains(rec.Body.String(), "<loc>https://bissendorf.example/leistung/"+keyHund.String()+"/03459012</loc>") {
		t.Error(rec.Body)
	}
	if _, _, rec := visit(t, h, "/robots.txt"); !strings.Contains(rec.Body.String(), "Sitemap: https://bissendorf.example/sitemap.xml") {
		t.Error(rec.Body)
	}
	if _, _, rec := visit(t, h, "/leistung/"+keyBauakte.String()+"/03459012"); !strings.Contains(rec.Body.String(), `<link rel="canonical" href="https://landkreis.example/leistung/`+keyBauakte.String()+`/03459012">`) {
		t.Error("no canonical address of the owner")
	}
}

func TestNewRefuses(t *testing.T) {
	for name, change := range map[string]func(*web.Config){
		"no self":      func(c *web.Config) { c.Self = "" },
		"no directory": func(c *web.Config) { c.Directory = nil },
		"no name":      func(c *web.Config) { c.Brand.Name = "" },
		"bad picture":  func(c *web.Config) { c.Brand.Wappen = brand.Image{Data: []byte("GIF89a")} },
	} {
		f := newFixture()
		change(&f.cfg)
		if _, err := web.New(f.cfg); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func BenchmarkResultPage(b *testing.B) {
	f := newFixture()
	f.person = &web.Person{Name: "Erika Muster", Level: federation.LevelBasis}
	src := f.edited(0)
	for i := range 40 {
		src.Catalogue.Offers = append(src.Catalogue.Offers, offer(kreis, 100+i, 0, "Bauvorhaben anzeigen", "Sie möchten bauen und brauchen dafür eine Genehmigung.", areaKreis, federation.LevelSubstanziell, true))
	}
	f.dir.Replace(src)
	h := routes(f.web(b))
	run := func(name string, signedIn bool) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequest(http.MethodGet, "/suche?q=Bauvorhaben", nil)
				r.Header.Set("Accept-Encoding", "gzip")
				if signedIn { // never from memory
					r.AddCookie(&http.Cookie{Name: "rn", Value: "x"})
				}
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != http.StatusOK {
					b.Fatal(rec.Code)
				}
			}
		})
	}
	run("drawn", true)
	run("from memory", false)
}
