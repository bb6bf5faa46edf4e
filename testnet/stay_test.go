package testnet

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"rathausnetz/portal/web"
)

// testSessionEnds: a citizen sits at a form for 56 minutes. The clock of the
// portal makes the page ask; saying yes makes the login last, saying nothing
// ends it.
func testSessionEnds(t *testing.T, nw *Network) {
	home, c := nw.Member("bissendorf"), NewCitizen(nw.Transport())
	ctx := within(t, time.Minute)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	frame := home.Entity.URL(web.StayPath + "?rahmen=1")
	ask := func(ahead time.Duration, texts ...string) {
		t.Helper()
		home.SetClock(ahead)
		must(c.Open(ctx, frame))
		must(c.Expect(texts...))
	}
	defer home.SetClock(0)
	must(c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")))
	must(nw.signIn(ctx, c))
	ask(0, "Wenn Sie nichts tun, melden wir Sie um ", "Angemeldet bleiben")
	ask(50*time.Minute, "Wenn Sie nichts tun")
	ask(56*time.Minute, "Sind Sie noch da?", "In 4 Minuten melden wir Sie zu Ihrem Schutz ab.", "Angemeldet bleiben")
	must(c.SubmitOnly(ctx)) // yes
	must(c.Expect("Wenn Sie nichts tun"))
	ask(110*time.Minute, "Wenn Sie nichts tun")
	ask(112*time.Minute, "Sind Sie noch da?", "In 4 Minuten")
	ask(117*time.Minute, "Sie sind abgemeldet", "Ihre Eingaben auf dieser Seite stehen noch da.", "In einem neuen Fenster anmelden")
	must(c.Open(ctx, home.Entity.URL("/konto")))
	must(c.Expect("Sie sind nicht angemeldet"))
}

// testStay: the question appears in the page of the form, without a script of
// the page, and what was typed is still there after it.
func testStay(t *testing.T, nw *Network, b *tab) {
	b.t = t
	hub := nw.Hub()
	b.do("no scripts", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open(nw.Member("bissendorf").searchFor(carWords))
	b.click(`a[href*='/leistung/` + carLeika + `']`)
	b.click(`a[href*='/zu/']`)
	b.password()
	b.click(sayYes)
	b.fill(`#anliegen`, "Mein Auto ist verkauft.")
	// Nobody can wait an hour here: the frame is loaded anew by hand, as its
	// Refresh header does later.
	const inside = `document.querySelector("iframe.pv-stay").contentDocument`
	says := func(text string) {
		t.Helper()
		b.holds(text, inside+`.readyState === "complete" && `+inside+`.body.innerText.includes(`+strconv.Quote(text)+`)`)
	}
	again := func() {
		t.Helper()
		b.holds("load the frame", `(document.querySelector("iframe.pv-stay").contentWindow.location.reload(), true)`)
	}
	says("Wenn Sie nichts tun, melden wir Sie um ")
	hub.SetClock(56 * time.Minute)
	again()
	says("Sind Sie noch da?")
	says("In 4 Minuten melden wir Sie zu Ihrem Schutz ab.")
	b.shot("noch-da")
	b.holds("stay", `(`+inside+`.querySelector("button").click(), true)`)
	says("Wenn Sie nichts tun")
	hub.SetClock(117 * time.Minute)
	again()
	says("Sie sind abgemeldet")
	says("In einem neuen Fenster anmelden")
	b.holds("what was typed", `document.querySelector("#anliegen").value === "Mein Auto ist verkauft."`)
	b.open(hub.Entity.URL("/konto"))
	b.expect("Sie sind nicht angemeldet")
}
