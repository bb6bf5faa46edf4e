package testnet

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium, or skips where there is none and
// RATHAUSNETZ_REQUIRE does not ask for one.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "browser") {
			t.Fatal("no Chromium found, and RATHAUSNETZ_REQUIRE asks for one")
		}
		t.Skip("no Chromium found: install chromium-headless-shell")
	}
	opts := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...), chromedp.ExecPath(path), chromedp.NoSandbox)
	actx, stopBrowser := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, stopTab := chromedp.NewContext(actx)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(func() { cancel(); stopTab(); stopBrowser() })
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// TestBrowser is the whole promise in a real browser: found at Bissendorf,
// applied for at the Landkreis after one login, and at Melle without a password.
func TestBrowser(t *testing.T) {
	nw := startNetwork(t, Spec{})
	b := newTab(t)
	b.open(nw.Member("bissendorf").Entity.URL("/"))
	b.appears(`form[role='search']`)
	b.do("search", chromedp.SendKeys(`input[name="q"]`, carWords))
	b.click(`form[role='search'] button[type='submit']`)
	b.click(`a[href*='/leistung/` + carLeika + `']`)
	b.appears(`a[href*='/zu/']`)
	b.expect("Zuständig für Bissendorf: Landkreis Osnabrück")
	b.click(`a[href*='/zu/']`)
	b.password()
	b.click(sayYes)
	b.appears(`[name='` + formField + `']`)
	b.expect(DemoName)

	b.open(nw.Member("melle").Entity.URL("/anmelden?zurueck=/konto"))
	b.appears(sayYes)
	if strings.Contains(b.text(), "Passwort") {
		t.Error("the second portal asks for a password")
	}
	b.click(sayYes)
	b.stands(nw.Member("melle"))
	b.expect(DemoName)
}
