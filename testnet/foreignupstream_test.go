package testnet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/sso/foreign"
	"rathausnetz/sso/op"
)

// TestForeignUpstream connects oidc-provider, which is not ours, to a hub by
// its configuration: a citizen finds it by the place where they live, signs in
// with it at a member's portal, proves more at the Landkreis with the form
// kept, and logs out everywhere.
func TestForeignUpstream(t *testing.T) {
	if _, err := foreign.Dir(); errors.Is(err, foreign.ErrMissing) && !foreign.Required() {
		t.Skip(err)
	}
	const id, name, person = "fremd", "Bürgerkonto Bissendorf", "Erika Mustermann"
	connect := func(hub federation.EntityID) []config.Upstream {
		secret := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(secret, []byte("geheim\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := foreign.Start(context.Background(), "op.mjs", map[string]any{"clients": []any{map[string]any{
			"client_id": "netz", "client_secret": "geheim", "redirect_uris": []string{op.ReturnURL(hub, id)},
			"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256",
		}}}, t.Output())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Stop(); err != nil {
				t.Error(err)
			}
		})
		var ready struct {
			Issuer string `json:"issuer"`
		}
		if err := p.Next(&ready); err != nil {
			t.Fatal(err)
		}
		return []config.Upstream{{
			ID: id, Name: name, Issuer: ready.Issuer, ClientID: "netz", SecretFile: secret,
			Max: federation.LevelHoch, Places: []region.Area{region.MustArea(bissendorfArea)},
		}}
	}
	nw := startNetwork(t, Spec{Members: 2, Upstreams: connect})
	ctx := within(t, time.Minute)
	home, hub, c := nw.Member("bissendorf"), nw.Hub(), NewCitizen(nw.Transport())
	if home == nil {
		home = nw.Members()[1]
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	source := map[string]string{"upstream": id}

	must(c.Open(ctx, home.Entity.URL("/anmelden?zurueck=/konto")))
	must(c.Expect(name, SourceName))
	must(c.Submit(ctx, source))
	must(nw.confirm(ctx, c))
	must(nw.expectAt(c, home, person))

	const wish = "Ein Carport"
	form := hub.Entity.URL("/antrag/bauvoranfrage")
	must(c.Open(ctx, form))
	must(nw.confirm(ctx, c))
	must(c.Expect("Ihre Eingaben bleiben erhalten."))
	must(c.Submit(ctx, map[string]string{formField: wish}))
	must(c.Expect("Für diesen Antrag reicht Ihre Anmeldung noch nicht", name))
	must(c.Submit(ctx, source))
	must(nw.expectAt(c, hub, "Ihre Eingaben sind noch da", wish, "Vertrauensniveau: substanziell"))
	must(c.Submit(ctx, map[string]string{formField: wish}))
	must(c.Expect("Vielen Dank"))

	// Level hoch is asked for anew, and the hub looks into its registry whether
	// this portal is a member at this moment.
	must(c.Open(ctx, home.Entity.URL("/anmelden?niveau=hoch&zurueck=/konto")))
	must(c.Submit(ctx, source))
	must(nw.expectAt(c, home, person, "hoch"))

	must(c.Open(ctx, home.Entity.URL("/abmelden")))
	for range 3 {
		if !c.Sees("Sie sind abgemeldet") {
			must(c.SubmitOnly(ctx))
		}
	}
	must(c.Expect("Sie sind abgemeldet", "Hier sind Sie vielleicht noch angemeldet: "+name))
	for _, m := range []*Member{home, hub} {
		must(c.Open(ctx, m.Entity.URL("/konto")))
		if c.Sees(person) {
			t.Errorf("still signed in at %s", m.Entity)
		}
	}
}
