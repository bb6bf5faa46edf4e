package data

import (
	"bytes"
	"io/fs"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/region"
)

// TestBeside: the hand-written catalogues of the Landkreis next to it would be
// published, and name places that the register beside the built-in one has.
func TestBeside(t *testing.T) {
	register := region.DemoBeside(region.BesideEdition())
	granted := map[string]string{"vechta": "03460", "damme": "034600002002", "lohne": "034600006006"}
	for _, node := range Beside {
		b, err := fs.ReadFile(FS, node+"/katalog.yaml")
		if err != nil {
			t.Fatal(err)
		}
		c, err := sheet.ReadYAML(bytes.NewReader(b), node, federation.EntityID("https://"+node+".example"))
		if err != nil {
			t.Fatal(err)
		}
		scope := federation.Scope{Subtree: []region.Area{region.MustArea(granted[node])}}
		for _, f := range catalog.Gates(c, catalog.GateInput{Scope: scope, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}) {
			if f.Severity != catalog.Warn || f.Code != catalog.CodeNoKey {
				t.Errorf("%s: %v", node, f)
			}
		}
		if len(c.Offers) < 5 {
			t.Errorf("%s has %d offers", node, len(c.Offers))
		}
		for i := range c.Offers {
			o := &c.Offers[i]
			for _, z := range o.Zustaendigkeiten {
				if _, ok := register.Place(z.Area); !ok {
					t.Errorf("%s %s: area %s is not in the register", node, o.Title["de"], z.Area)
				}
			}
			for _, d := range o.Onlinedienste {
				if host := form.FindStringSubmatch(d.URL); host == nil || host[1] != node {
					t.Errorf("%s %s: form at %s", node, o.Title["de"], d.URL)
				}
			}
		}
	}
}
