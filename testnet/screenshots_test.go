package testnet

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreenshots writes pictures of the main pages of two portals into the
// folder that SCREENSHOTS names: make screenshots.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		t.Skip("make screenshots sets SCREENSHOTS")
	}
	nw := startNetwork(t, Spec{BasePort: 8600})
	ctx := browser(t)
	pages := []struct{ name, path string }{
		{"start", "/"}, {"treffer", "/suche?q=Auto+abmelden"}, {"leistung", "/leistung/" + carLeika + "/034590012012"},
		{"orte", "/ort?plz=49577"}, {"verbund", "/verbund"}, {"anmelden", "/anmelden"},
	}
	for _, portal := range []string{"bissendorf", "melle"} {
		for _, p := range pages {
			for _, shot := range []struct {
				suffix string
				width  int64
				scheme string
			}{{"1280", 1280, "light"}, {"390", 390, "light"}, {"1280-dark", 1280, "dark"}} {
				png, err := picture(ctx, nw.Member(portal).Entity.URL(p.path), shot.width, shot.scheme)
				if err != nil {
					t.Fatalf("%s %s: %v", portal, p.name, err)
				}
				name := filepath.Join(dir, portal+"-"+p.name+"-"+shot.suffix+".png")
				if err := os.WriteFile(name, png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func picture(ctx context.Context, address string, width int64, scheme string) ([]byte, error) {
	dress := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), dress, chromedp.Navigate(address), chromedp.WaitVisible("main")); err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.FullScreenshot(100))
}
