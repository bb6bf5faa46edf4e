package testnet

import (
	"context"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"rathausnetz/sso/op/desk"
)

// fill writes into a field of a loaded page.
func (b *tab) fill(selector, value string) {
	b.t.Helper()
	b.appears(selector)
	b.holds("fill "+selector, `(document.querySelector(`+strconv.Quote(selector)+`).value = `+strconv.Quote(value)+`, true)`)
}

// press clicks what is there and can be seen.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.appears(selector)
	b.holds(selector, `document.querySelector(`+strconv.Quote(selector)+`)?.checkVisibility()`)
	b.click(selector)
}

// authenticator gives the browser a device that keeps passkeys.
func (b *tab) authenticator() webauthn.AuthenticatorID {
	b.t.Helper()
	var id webauthn.AuthenticatorID
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		res, err := cdp.Call(ctx, target, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
		if err == nil {
			id = res.AuthenticatorID
		}
		return err
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *tab) verified(id webauthn.AuthenticatorID, yes bool) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: yes})
		return err
	})); err != nil {
		b.t.Fatal(err)
	}
}

// TestAccountInBrowser: what takes a browser to show.
func TestAccountInBrowser(t *testing.T) {
	nw := startNetwork(t, Spec{})
	b := newTab(t)
	t.Run("passkey", func(t *testing.T) { testPasskey(t, nw, b) })
	t.Run("stay", func(t *testing.T) { testStay(t, nw, b) })
}

// testPasskey: made at the account page, used to sign in at a portal without a
// name or password, refused without the person's finger, named, removed.
func testPasskey(t *testing.T, nw *Network, b *tab) {
	b.t = t
	nw.addPerson(t)
	hub, home := nw.Hub(), nw.Member("bissendorf")
	device := b.authenticator()
	const loginForm, makeForm = `form[data-passkey]:not([data-make])`, `form[data-make]`

	b.open(hub.Entity.URL(desk.PasskeysPath))
	b.fill(`#username`, personUser)
	b.fill(`#password`, personPassword)
	b.press(`form:has(#password) button`)
	b.press(sayYes)
	b.expect("Sie haben noch keinen Passkey.")
	b.fill(makeForm+` #name`, "Mein Telefon")
	b.press(makeForm + ` button`)
	b.expect("Ihr Passkey ist angelegt")
	b.expect("Mein Telefon")
	b.expect("Noch nicht genutzt.")
	b.fill(makeForm+` #name`, "Noch einer")
	b.press(makeForm + ` button`)
	b.expect("Dieses Gerät hat für Ihr Konto schon einen Passkey.")

	logout := func() {
		b.open(home.Entity.URL("/abmelden"))
		b.open(hub.Entity.URL("/abmelden"))
		b.press(`main form button`)
		b.expect("Sie sind abgemeldet")
	}
	logout()
	b.open(home.Entity.URL("/anmelden?zurueck=/konto"))
	b.verified(device, false)
	b.press(loginForm + ` button`)
	b.expect("Bitte versuchen Sie es noch einmal oder nehmen Sie Ihr Passwort.")
	b.verified(device, true)
	b.press(loginForm + ` button`)
	b.press(sayYes)
	b.expect(personName)
	b.stands(home)
	b.expect("niedrig")

	b.open(hub.Entity.URL(desk.PasskeysPath))
	b.press(sayYes)
	b.expect("Zuletzt genutzt: ")
	b.fill(`#n0`, "Altes Telefon")
	b.press(`form:has(#n0) button`)
	b.expect("Der Name ist gespeichert")
	b.expect("Altes Telefon")
	b.press(`form:has(input[value=weg]) button`)
	b.expect("Der Passkey ist entfernt")
	b.expect("Sie haben noch keinen Passkey.")

	logout()
	b.open(home.Entity.URL("/anmelden?zurueck=/konto"))
	b.press(loginForm + ` button`) // the device still has it, the hub does not
	b.expect("Diesen Passkey kennen wir hier nicht.")
}
