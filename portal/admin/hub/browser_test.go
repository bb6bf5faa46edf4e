package hub_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rathausnetz/federation"
	"rathausnetz/federation/mirror"
	"rathausnetz/portal/admin/staff"
	"rathausnetz/portal/web/webtest"
)

// enter signs the browser in by a one-time link, as a person does.
func enter(t *testing.T, ctx context.Context, f *fixture) {
	t.Helper()
	link, err := f.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := webtest.NewPage(t, ctx)
	p.Open(link)
	p.Click(`form[action="/verwaltung/zugang"] button`)
	p.Expect("Verbund Landkreis Osnabrück")
}

// furnish puts something on every page.
func furnish(t *testing.T, f *fixture) (invitation string) {
	t.Helper()
	f.kept[melle] = []mirror.Kept{{Serial: 12, Digest: "aaaaaaaaaaaa", At: f.now}, {Serial: 12, Digest: "bbbbbbbbbbbb", At: f.now}}
	for _, action := range []string{"invite", "join", "approve"} {
		if err := f.anchor.Note(t.Context(), "root", action, string(belm), "waits for approval"); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.anchor.Plan(t.Context(), "root", bissendorf, federation.Planned{From: f.now.AddDate(0, 2, 0)}, "Fusion"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Staff.Admit(t.Context(), staff.Login{Issuer: "x", Subject: "1"}, "A. Muster", staff.Redaktion|staff.Verbund); err != nil {
		t.Fatal(err)
	}
	_, secret, _, err := f.Staff.Invite(t.Context(), "B. Beispiel", staff.Redaktion)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// pages are all pages of the frame and the hub, as paths below /verwaltung.
func pages(invitation string) map[string]string {
	id := url.QueryEscape(string(melle))
	return map[string]string{
		"uebersicht": "", "zugang": "/zugang?code=X", "einladung": "/einladung?code=" + invitation, "einladung-falsch": "/einladung?code=X", "zugaenge": "/zugaenge", "nirgends": "/nirgends",
		"netz": "/verbund", "aufnahme": "/verbund/aufnahme", "mitglied": "/verbund/mitglied?id=" + id, "mitglied-wartet": "/verbund/mitglied?id=" + url.QueryEscape(string(belm)),
		"pausieren": "/verbund/pausieren?id=" + id, "ausschliessen": "/verbund/ausschliessen?id=" + id, "abdeckung": "/verbund/abdeckung", "abdeckung-vorschau": "/verbund/abdeckung?tag=2027-01-01&zeichen=conflict",
		"uebergaben": "/verbund/uebergaben", "uebergabe": "/verbund/uebergabe?id=" + url.QueryEscape(string(bissendorf)), "konflikte": "/verbund/konflikte", "luecken": "/verbund/luecken", "beweise": "/verbund/beweise", "protokoll": "/verbund/protokoll?pruefen=1",
	}
}

// alike are pages with the layout of another one: they are looked at on a
// phone only.
var alike = map[string]bool{"einladung-falsch": true, "nirgends": true, "zugang": true, "mitglied-wartet": true, "pausieren": true, "abdeckung-vorschau": true, "beweise": true, "uebersicht": true}

// sent are forms as they are answered when they cannot be taken: the button
// that sends them, by page.
var sent = map[string]string{
	"/verbund/aufnahme": `form[action$="/einladen"] button`, "/zugaenge": `form[action$="/einladen"] button`,
	"/verbund/ausschliessen?id=" + url.QueryEscape(string(melle)): `form[action$="/ausschliessen"] button`,
}

// Every operator page and state, three widths, light and dark, without a
// finding.
func TestPagesAccessible(t *testing.T) {
	ctx := webtest.Browser(t)
	f := open(t)
	invitation := furnish(t, f)
	for _, bad := range webtest.Look(t, ctx, f.Origin+"/verwaltung/anmelden?ende=1", 390) {
		t.Errorf("anmelden: %s", bad)
	}
	enter(t, ctx, f)
	for _, width := range []int64{1280, 390, 320} {
		t.Run(fmt.Sprintf("%dpx", width), func(t *testing.T) {
			t.Parallel()
			tab, end := chromedp.NewContext(ctx)
			t.Cleanup(end)
			for name, path := range pages(invitation) {
				if alike[name] && width != 390 {
					continue
				}
				for _, bad := range webtest.Look(t, tab, f.Origin+"/verwaltung"+path, width) {
					t.Errorf("%s: %s", name, bad)
				}
			}
			for path, button := range sent {
				if width != 390 {
					break // their layout is that of the pages above
				}
				p := webtest.NewPage(t, tab)
				p.Open(f.Origin + "/verwaltung" + path)
				p.Click(button)
				p.Expect("Bitte")
				for _, bad := range webtest.Inspect(t, tab) {
					t.Errorf("%s sent empty: %s", path, bad)
				}
			}
		})
	}
}

// Text at 200 % does not make a page scroll sideways, and whatever the
// keyboard reaches shows it.
func TestLargeTextAndKeyboard(t *testing.T) {
	ctx := webtest.Browser(t)
	f := open(t)
	invitation := furnish(t, f)
	enter(t, ctx, f)
	for name, path := range pages(invitation) {
		for _, width := range []int64{1280, 390} {
			if bad := webtest.Large(t, ctx, f.Origin+"/verwaltung"+path, width); bad != "" {
				t.Errorf("%s at %d px, text at 200 %%: %s", name, width, bad)
			}
		}
		for _, e := range webtest.Unfocused(t, ctx) {
			t.Errorf("%s: no visible focus: %s", name, e)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(f.Origin+"/verwaltung/verbund"), chromedp.KeyEvent(kb.Tab)); err != nil {
		t.Fatal(err)
	}
	if got := webtest.Eval[string](t, ctx, `document.activeElement.className`); got != "pv-skip" {
		t.Errorf("the first stop is %q, not the skip link", got)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(390, 900)); err != nil {
		t.Fatal(err)
	}
	if got := webtest.Eval[string](t, ctx, `getComputedStyle(document.querySelector('.pv-map')).display`); got != "none" {
		t.Errorf("the map is %q on a phone", got)
	}
}

// TestScreenshots writes pictures into the folder that
// RATHAUSNETZ_SCREENSHOTS names.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("RATHAUSNETZ_SCREENSHOTS")
	if dir == "" {
		t.Skip("RATHAUSNETZ_SCREENSHOTS names no folder")
	}
	ctx := webtest.Browser(t)
	f := open(t)
	invitation := furnish(t, f)
	enter(t, ctx, f)
	for name, path := range pages(invitation) {
		for _, width := range []int64{1280, 390} {
			for _, dark := range []bool{false, true} {
				png, err := webtest.Picture(ctx, f.Origin+"/verwaltung"+path, width, dark)
				if err != nil {
					t.Fatal(err)
				}
				file := fmt.Sprintf("hub-%s-%d%s.png", name, width, map[bool]string{true: "-dark"}[dark])
				if err := os.WriteFile(filepath.Join(dir, file), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
