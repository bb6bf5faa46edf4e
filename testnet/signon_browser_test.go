package testnet

import (
	"testing"

	"rathausnetz/federation"
	"rathausnetz/testnet/ausweis"

	"github.com/chromedp/chromedp"
)

// TestBrowserSignOn is single sign-on as a person sees it: one password for
// four portals, each of which knows the person by another subject; a form that
// needs more keeps what was typed while the person proves it; and one logout
// ends all, and says so.
func TestBrowserSignOn(t *testing.T) {
	nw := startNetwork(t, Spec{})
	b := newTab(t)
	hub := nw.Hub()
	all := []*Member{nw.Member("bissendorf"), nw.Member("melle"), nw.Member("wallenhorst"), hub}
	for i, m := range all {
		b.open(m.Entity.URL("/anmelden?zurueck=/konto"))
		if i == 0 {
			b.appears(`input[name='password']`)
			b.shot("passwort")
			b.password()
		}
		b.appears(sayYes)
		b.noPassword()
		b.expect(m.Legal, DemoName)
		b.shot("weitergabe-" + m.Name)
		b.click(sayYes)
		b.stands(m)
		b.expect(DemoName)
		b.shot("konto-" + m.Name)
	}
	before := b.subjects(all)

	form := hub.Entity.URL("/antrag/bauvoranfrage")
	const wish = "Ein Carport, 3 Meter hoch"
	b.open(form)
	b.appears(`[name='` + formField + `']`)
	b.expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht", "Ihre Eingaben bleiben erhalten.")
	b.do("fill in", chromedp.SendKeys(`textarea[name="`+formField+`"]`, wish))
	b.shot("formular")
	b.click(`form:has([name='` + formField + `']) button[type='submit']`)

	b.appears(`button[name='upstream'][value='` + ausweis.ID + `']`)
	b.expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht")
	b.noPassword()
	b.shot("mehr-nachweis")
	b.click(`button[name='upstream'][value='` + ausweis.ID + `']`)
	b.expect("Demonstration: kein echter Ausweis")
	b.shot("ausweis")
	b.click(`button[name='username']`)
	b.expect("Gehört beides zu Ihnen?", DemoName, ausweis.Name, ausweis.Person)
	b.shot("verknuepfen")
	b.click(sayYes)
	b.stands(hub)
	b.expect("Ihre Eingaben sind noch da")
	b.holds("the entered data", `document.querySelector("[name='`+formField+`']").value === "`+wish+`"`)
	b.shot("formular-mit-eingaben")
	if s := b.session(hub); s == nil || s.Identity.Level != federation.LevelSubstanziell || s.Identity.Subject != before[hub] {
		t.Errorf("after the step-up the Landkreis knows %+v, before %s", s, before[hub])
	}
	b.open(form)
	b.holds("the entered data, loaded again", `document.querySelector("[name='`+formField+`']").value === "`+wish+`"`)
	b.click(`form:has([name='` + formField + `']) button[type='submit']`)
	b.expect("Vielen Dank")
	b.shot("abgesendet")

	last := nw.Member("wallenhorst")
	b.open(last.Entity.URL("/abmelden"))
	b.click(`form[action='/abmelden'] button[type='submit']`)
	b.expect("Sie sind abgemeldet")
	for _, m := range all {
		b.expect(m.Legal)
	}
	b.holds("four portals have answered", `document.querySelectorAll(".pv-results li").length === 4 && [...document.querySelectorAll(".pv-results li")].every(l => l.innerText.includes("Abgemeldet"))`)
	b.shot("abgemeldet")
	for _, m := range all {
		if s := b.session(m); s != nil {
			t.Errorf("%s still knows the person", m.Name)
		}
		b.open(m.Entity.URL("/konto"))
		b.holds("nobody at "+m.Name, `!document.body.innerText.includes("`+DemoName+`")`)
	}
	b.shot("danach")
}

// noPassword fails if the page asks for a password: one was typed, and one is
// enough.
func (b *tab) noPassword() {
	b.t.Helper()
	there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`!!document.querySelector("input[type='password']")`))
	if err != nil || there {
		b.t.Errorf("a second password is asked for (%v): %s", err, b.text())
	}
}

// subjects are what the portals' own records call the person: no two alike.
func (b *tab) subjects(all []*Member) map[*Member]string {
	b.t.Helper()
	out, seen := map[*Member]string{}, map[string]string{}
	for _, m := range all {
		s := b.session(m)
		if s == nil {
			b.t.Fatalf("%s does not know the person", m.Name)
		}
		if other := seen[s.Identity.Subject]; other != "" || s.Identity.Subject == "" {
			b.t.Errorf("%s and %s know the person by one subject", m.Name, other)
		}
		out[m], seen[s.Identity.Subject] = s.Identity.Subject, m.Name
	}
	return out
}
