package testnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
	"rathausnetz/portal/web/brand"
)

// What the operators' journeys change and look for.
const (
	newcomerWords = "Sitzbank für den Dorfplatz stiften"
	publishFile   = "leistungen.xml"
	publishWords  = "Brennholz kaufen"
	publishNew    = "Kaminholz kaufen"
)

// renamed are titles of offers that every portal shows, of which each
// Gemeinde of the demonstration has one, and what they are renamed to.
var renamed = [...][2]string{
	{publishWords, publishNew}, {"Ferienprogramm buchen", "Ferienwochen buchen"}, {"Schwimmkurs für Kinder buchen", "Wasserkurs für Kinder buchen"},
}

// joinJourney: Belm is invited, joins, is approved, and its offer appears in
// every portal; then it is revoked and the offer is gone everywhere.
func joinJourney(ctx context.Context, nw *Network) (err error) {
	m, err := nw.add(nw.newcomer())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, nw.remove(m)) }()
	if err := m.Join(ctx); err != nil {
		return err
	}
	c := NewCitizen(nw.Transport())
	for _, o := range nw.Landkreis() {
		if err := awaitPage(ctx, c, o.searchFor(newcomerWords), newcomerWords); err != nil {
			return err
		}
	}
	m.left.Store(true)
	if err := nw.Hub().Node().Revoke(ctx, operatorName, m.Entity, "end of the journey"); err != nil {
		return err
	}
	for _, o := range nw.Landkreis() {
		if o == m {
			continue
		}
		if err := awaitGone(ctx, c, o.searchFor(newcomerWords), "Zuständig: "+m.Legal); err != nil {
			return err
		}
	}
	return nil
}

// searchFor is the address of the result page for words in this portal.
func (m *Member) searchFor(words string) string {
	return m.Entity.URL("/suche?q=" + url.QueryEscape(words))
}

// newcomer is a Gemeinde of the Kreis that does not take part yet, Belm where
// that is so, with one offer of its own.
func (nw *Network) newcomer() body {
	place, _ := nw.spec.Register.Place(region.MustArea("034590008008"))
	taken := map[region.Area]bool{}
	for _, m := range nw.Members() {
		taken[m.Area] = m.body.kind != federation.KindUnternehmen
	}
	for _, g := range nw.spec.Register.Gemeinden(nw.spec.Kreis) {
		if covered(taken, place.Area) && !covered(taken, g.Area) || !nw.spec.Kreis.Covers(place.Area) {
			place = g
		}
	}
	p := portal.Portal{Name: place.FullName, ShortName: place.Name, Home: place.Area, Greeting: "Willkommen in " + place.Name}
	files := map[string][]byte{"index.txt": []byte("neu.xml\n"), "neu.xml": []byte(newcomerXML)}
	return body{name: slug(place.Name) + "-neu", kind: federation.KindGemeinde, legal: place.FullName, short: place.Name, area: place.Area, portal: p,
		brand: brand.Brand{Name: place.FullName, ShortName: place.Name, Color: brand.MustColor("#5b3a86"), Greeting: p.Greeting},
		files: carried(files, "034590008008", place.Area.String())}
}

// publishJourney: Bissendorf renames its firewood offer; every portal shows
// the new name within seconds, and the old one again after the way back.
func publishJourney(ctx context.Context, nw *Network) (err error) {
	m, _, err := nw.towns()
	if err != nil {
		return err
	}
	path := m.dir("catalog", publishFile)
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	old, name := "", ""
	for _, r := range renamed {
		if old == "" && bytes.Contains(before, []byte(r[0])) {
			old, name = r[0], r[1]
		}
	}
	if old == "" {
		return fmt.Errorf("%w: %s has no offer that the journey knows", ErrSpec, filepath.Base(path))
	}
	defer func() { err = errors.Join(err, m.republish(context.WithoutCancel(ctx), path, before)) }()
	if err := m.republish(ctx, path, bytes.ReplaceAll(before, []byte(old), []byte(name))); err != nil {
		return err
	}
	c := NewCitizen(nw.Transport())
	for _, o := range nw.Landkreis() {
		if err := awaitPage(ctx, c, o.searchFor(name), name, m.Legal); err != nil {
			return err
		}
	}
	return nil
}

// republish publishes a changed file. Whether it arrives is what the pages
// show: the node's own schedule may have been quicker than the request.
func (m *Member) republish(ctx context.Context, path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	_, err := m.Node().Publish(ctx, portal.PublishRequest{})
	return err
}

// breakJourney: Melle dies. Bissendorf goes on answering, shows Melle's offers
// and says that its portal does not answer; after the restart everything heals
// by itself. A member that is down takes nobody's login with it.
func breakJourney(ctx context.Context, nw *Network) (err error) {
	witness, victim, err := nw.towns()
	if err != nil {
		return err
	}
	c := NewCitizen(nw.Transport())
	page := witness.Entity.URL("/suche?q=Personalausweis&ort=" + victim.Area.String())
	if err := victim.Kill(); err != nil {
		return err
	}
	restarted := false
	defer func() {
		if !restarted {
			err = errors.Join(err, victim.Restart(ctx))
		}
	}()
	if err := awaitPage(ctx, c, page, "Ein Portal antwortet gerade nicht", victim.Legal); err != nil {
		return err
	}
	if err := c.Open(ctx, witness.Entity.URL("/readyz")); err != nil || c.Status() != 200 {
		return fmt.Errorf("%w: a dead peer makes %s unready (%d, %v)", ErrPage, witness.Name, c.Status(), err)
	}
	if err := nw.findAndApply(ctx, c); err != nil {
		return fmt.Errorf("with %s down: %w", victim.Name, err)
	}
	restarted = true
	if err := victim.Restart(ctx); err != nil {
		return err
	}
	if err := nw.AwaitConverged(ctx); err != nil {
		return err
	}
	return awaitGone(ctx, c, page, "Ein Portal antwortet gerade nicht")
}
