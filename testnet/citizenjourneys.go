package testnet

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"rathausnetz/federation"
)

// What the journeys look for in the demonstration.
const (
	carWords  = "Auto abmelden"
	carLeika  = "99036026017000"
	applyText = "Online beantragen"
	formField = "anliegen"
)

// towns are the two Gemeinden that the journeys go through: Bissendorf and
// Melle where they take part, else any two.
func (nw *Network) towns() (home, other *Member, err error) {
	home, other = nw.Member("bissendorf"), nw.Member("melle")
	for _, m := range nw.Members() {
		switch {
		case m.body.kind != federation.KindGemeinde:
		case home == nil && m != other:
			home = m
		case other == nil && m != home:
			other = m
		}
	}
	if home == nil || other == nil {
		return nil, nil, fmt.Errorf("%w: the journeys need two Gemeinden", ErrSpec)
	}
	return home, other, nil
}

// findJourney: a citizen of Bissendorf searches a Leistung of the Landkreis,
// reads who is responsible and why, follows one button, signs in once and
// stands at the form of the Landkreis.
func findJourney(ctx context.Context, nw *Network) error {
	c := NewCitizen(nw.Transport())
	if err := nw.findAndApply(ctx, c); err != nil {
		return err
	}
	if err := c.Submit(ctx, map[string]string{formField: "Bitte einmal ausprobieren."}); err != nil {
		return err
	}
	return c.Expect("Vielen Dank")
}

func (nw *Network) findAndApply(ctx context.Context, c *Citizen) error {
	home, _, err := nw.towns()
	if err != nil {
		return err
	}
	hub := nw.Hub()
	q := url.Values{"q": {carWords}, "ort": {home.Area.String()}}
	if err := c.Open(ctx, home.Entity.URL("/suche?"+q.Encode())); err != nil {
		return err
	}
	if err := c.Expect("Treffer", hub.Legal); err != nil {
		return err
	}
	if err := c.ClickHref(ctx, "/leistung/"+carLeika+"/"); err != nil {
		return err
	}
	if err := c.Expect("Zuständig für "+home.body.short+": "+hub.Legal, home.Legal+" hat diese Aufgabe nicht"); err != nil {
		return err
	}
	if err := c.Click(ctx, applyText); err != nil {
		return err
	}
	if err := nw.signIn(ctx, c); err != nil {
		return err
	}
	if !strings.HasPrefix(c.URL().String(), string(hub.Entity)+"/antrag/") {
		return fmt.Errorf("%w: stands at %s, not at a form of %s", ErrPage, c.URL(), hub.Entity)
	}
	return c.Expect(DemoName)
}

// signIn types name and password at the hub's provider and confirms the first
// hand-over.
func (nw *Network) signIn(ctx context.Context, c *Citizen) error {
	if c.URL().Host != hostOf(nw.Hub().Entity.Origin()) {
		return fmt.Errorf("%w: %s is not the hub's login", ErrPage, c.URL())
	}
	if err := c.Submit(ctx, map[string]string{"username": DemoUser, "password": DemoPassword}); err != nil {
		return err
	}
	return nw.confirm(ctx, c)
}

// confirm says yes on the information page. A password there would be one too
// many.
func (nw *Network) confirm(ctx context.Context, c *Citizen) error {
	if c.HasField("password") {
		return fmt.Errorf("%w: %s asks for a password", ErrPage, c.URL())
	}
	return c.Submit(ctx, map[string]string{"decision": "yes"})
}

func hostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}

// loginJourney: signed in at Bissendorf, the citizen is signed in at Melle and
// at the Landkreis after an information page each, and out everywhere after
// one logout.
func loginJourney(ctx context.Context, nw *Network) error {
	c := NewCitizen(nw.Transport())
	first, second, err := nw.towns()
	if err != nil {
		return err
	}
	hub := nw.Hub()
	if err := c.Open(ctx, first.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
		return err
	}
	if err := nw.signIn(ctx, c); err != nil {
		return err
	}
	if err := nw.expectAt(c, first, DemoName); err != nil {
		return err
	}
	for _, m := range []*Member{second, hub} {
		if err := c.Open(ctx, m.Entity.URL("/anmelden?zurueck=/konto")); err != nil {
			return err
		}
		if err := nw.confirm(ctx, c); err != nil {
			return err
		}
		if err := nw.expectAt(c, m, DemoName); err != nil {
			return err
		}
	}
	return nw.logOutEverywhere(ctx, c, second, []*Member{first, second, hub})
}

func (nw *Network) expectAt(c *Citizen, m *Member, texts ...string) error {
	if !strings.HasPrefix(c.URL().String(), string(m.Entity)+"/") {
		return fmt.Errorf("%w: stands at %s, not at %s", ErrPage, c.URL(), m.Entity)
	}
	return c.Expect(texts...)
}

// logOutEverywhere signs out at one portal and finds nobody signed in at any.
func (nw *Network) logOutEverywhere(ctx context.Context, c *Citizen, at *Member, everywhere []*Member) error {
	if err := c.Open(ctx, at.Entity.URL("/abmelden")); err != nil {
		return err
	}
	for range 3 { // the portal's question, the provider's question
		if c.Sees("Sie sind abgemeldet") {
			break
		}
		if err := c.SubmitOnly(ctx); err != nil {
			return err
		}
	}
	if err := c.Expect("Sie sind abgemeldet"); err != nil {
		return err
	}
	for _, m := range everywhere {
		if err := c.Open(ctx, m.Entity.URL("/konto")); err != nil {
			return err
		}
		if c.Sees(DemoName) {
			return fmt.Errorf("%w: still signed in at %s", ErrPage, m.Entity)
		}
	}
	return nil
}
