package webtest

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Browser starts a headless Chromium; the test is skipped where there is none
// unless RATHAUSNETZ_REQUIRE asks for it.
func Browser(t testing.TB) context.Context {
	t.Helper()
	path := os.Getenv("CHROME")
	if path == "" {
		for _, name := range []string{"chromium-headless-shell", "chromium", "google-chrome"} {
			if p, err := exec.LookPath(name); err == nil {
				path = p
				break
			}
		}
	}
	if path == "" {
		if strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "browser") {
			t.Fatal("no browser: install chromium-headless-shell")
		}
		t.Skip("no browser: install chromium-headless-shell or name one in CHROME")
	}
	opts := append(append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...), chromedp.ExecPath(path), chromedp.Flag("hide-scrollbars", true))
	actx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	ctx, end := chromedp.NewContext(actx)
	t.Cleanup(func() { end(); stop() })
	ctx, cancel := context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// Scheme switches the reader's system between light and dark.
func Scheme(dark bool) chromedp.Action[chromedp.Void] {
	value := "light"
	if dark {
		value = "dark"
	}
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return err
	})
}

// Eval runs js in the page and returns its value.
func Eval[T any](t testing.TB, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Picture returns a PNG of the whole page at a width, in light or dark.
func Picture(ctx context.Context, address string, width int64, dark bool) ([]byte, error) {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), Scheme(dark), chromedp.Navigate(address), chromedp.WaitVisible("main")); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}
