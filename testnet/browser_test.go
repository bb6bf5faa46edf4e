package testnet

import (
	"context"
	"fmt"
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
	ctx := browser(t)
	nw := startNetwork(t, Spec{})
	// text asks the page itself: nodes that DevTools knows by number are gone
	// when a navigation is still on its way.
	read := func() (string, error) {
		return chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
	}
	text := func() string {
		t.Helper()
		s, err := read()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	do := func(what string, actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatalf("%s: %v\n%s", what, err, text())
		}
	}
	expect := func(want string) {
		t.Helper()
		limited, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		err := Await(limited, func() error {
			got, err := read()
			if err == nil && !strings.Contains(got, want) {
				err = fmt.Errorf("the page does not say %q:\n%s", want, got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}

	do("open Bissendorf", chromedp.Navigate(nw.Member("bissendorf").Entity.URL("/")))
	do("search", chromedp.SendKeys(`input[name="q"]`, carWords), chromedp.Click(`form[role="search"] button[type="submit"]`), chromedp.WaitVisible(`a[href*="/leistung/`+carLeika+`"]`))
	do("open the Leistung", chromedp.Click(`a[href*="/leistung/`+carLeika+`"]`), chromedp.WaitVisible(`a[href*="/zu/"]`))
	expect("Zuständig für Bissendorf: Landkreis Osnabrück")
	do("apply", chromedp.Click(`a[href*="/zu/"]`), chromedp.WaitVisible(`input[name="password"]`))
	do("sign in", chromedp.SendKeys(`input[name="username"]`, DemoUser), chromedp.SendKeys(`input[name="password"]`, DemoPassword), chromedp.Click(`form:has(input[name="password"]) button[type="submit"]`), chromedp.WaitVisible(`button[name="decision"][value="yes"]`))
	do("confirm", chromedp.Click(`button[name="decision"][value="yes"]`), chromedp.WaitVisible(`[name="`+formField+`"]`))
	expect(DemoName)

	do("open Melle", chromedp.Navigate(nw.Member("melle").Entity.URL("/anmelden?zurueck=/konto")), chromedp.WaitVisible(`button[name="decision"][value="yes"]`))
	if strings.Contains(text(), "Passwort") {
		t.Error("the second portal asks for a password")
	}
	do("confirm for Melle", chromedp.Click(`button[name="decision"][value="yes"]`), chromedp.WaitVisible(`main`))
	expect(DemoName)
}
