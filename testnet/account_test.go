package testnet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/portal"
	"rathausnetz/sso/op/desk"
)

// The person of the tests about accounts; each word is looked for afterwards.
const (
	personUser     = "wilhelmine.testfrau"
	personPassword = "sieben-graue-gaense"
	personName     = "Wilhelmine Testfrau"
	personMail     = "wilhelmine@post.example"
)

func (nw *Network) addPerson(t *testing.T) string {
	t.Helper()
	a, err := nw.Hub().Node().AddAccount(t.Context(), portal.Account{Username: personUser, Password: personPassword, Name: personName, Email: personMail, Level: federation.LevelNiedrig})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// walker makes the steps of one citizen and ends the test at the first that
// does not work.
type walker struct {
	*Citizen
	t  *testing.T
	nw *Network
}

func (nw *Network) walker(t *testing.T) walker {
	return walker{NewCitizen(nw.Transport()), t, nw}
}

// in is the same citizen in a subtest.
func (c walker) in(t *testing.T) walker {
	c.t = t
	return c
}

func (c walker) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c walker) open(m *Member, path string, texts ...string) {
	c.t.Helper()
	c.must(c.Open(c.t.Context(), m.Entity.URL(path)))
	c.must(c.Expect(texts...))
}

func (c walker) send(fields map[string]string, texts ...string) {
	c.t.Helper()
	c.must(c.Submit(c.t.Context(), fields))
	c.must(c.Expect(texts...))
}

// signIn gets to path of m with a password, or without if the provider knows
// the browser; it confirms what is handed over.
func (c walker) signIn(m *Member, path, password string) {
	c.t.Helper()
	c.must(c.Open(c.t.Context(), m.Entity.URL("/anmelden?zurueck="+path)))
	if c.HasField("password") {
		c.send(map[string]string{"username": personUser, "password": password})
	}
	if c.HasField("decision") {
		c.send(map[string]string{"decision": "yes"})
	}
	c.must(c.nw.expectAt(c.Citizen, m, personName))
}

func (c walker) signedIn(m *Member, want bool) {
	c.t.Helper()
	c.must(c.Open(c.t.Context(), m.Entity.URL("/konto")))
	if c.Sees(personName) != want {
		c.t.Fatalf("signed in at %s: %v, want %v", m.Name, !want, want)
	}
}

// TestAccountDesk: what a citizen does with their own account.
func TestAccountDesk(t *testing.T) {
	nw := startNetwork(t, Spec{})
	id := nw.addPerson(t)
	hub, home, other := nw.Hub(), nw.Member("bissendorf"), nw.Member("melle")
	one, two := nw.walker(t), nw.walker(t)
	one.signIn(home, "/konto", personPassword)
	one.must(one.Expect("Ihr Konto führt: Landkreis Osnabrück."))
	one.must(one.Click(t.Context(), "Zu Ihrem Konto"))
	one.send(map[string]string{"decision": "yes"}, "Wo bin ich angemeldet?", "Passkeys", "Konto löschen")
	one.signIn(other, "/konto", "")
	two.signIn(other, "/konto", personPassword)

	t.Run("sessions", func(t *testing.T) { testSessions(one.in(t), two.in(t), home, other) })
	t.Run("history", func(t *testing.T) {
		one.in(t).open(hub, desk.HistoryPath, "Wer hat welche Daten bekommen?", "Gemeinde Bissendorf", "Stadt Melle", "Name", "niedrig")
	})
	t.Run("password", func(t *testing.T) { testPassword(t, nw, one.in(t), two.in(t)) })
	t.Run("code", func(t *testing.T) { testCode(t, nw) })
	t.Run("export", func(t *testing.T) { testExport(t, nw) })
	t.Run("delete", func(t *testing.T) { testDelete(t, nw, id) })
}

func testSessions(one, two walker, home, other *Member) {
	hub := one.nw.Hub()
	one.open(hub, desk.SessionsPath, "Wo bin ich angemeldet?", "Dieser Browser", "Anmeldung 2", "Gemeinde Bissendorf", "Stadt Melle")
	// At one portal only.
	one.send(map[string]string{"portal": string(home.Entity)}, "Die Abmeldung ist erledigt", "Gemeinde Bissendorf Abgemeldet")
	one.signedIn(home, false)
	one.signedIn(other, true)
	// The other browser, in all portals.
	one.open(hub, desk.SessionsPath)
	one.send(map[string]string{"was": "alle"}, "Alle anderen Browser sind abgemeldet", "Stadt Melle Abgemeldet")
	two.signedIn(other, false)
	one.signedIn(other, true)
	// A form of somebody else's making changes nothing.
	one.open(hub, desk.SessionsPath)
	one.send(map[string]string{"was": "alle", "csrf": "falsch"}, "Das hat nicht geklappt", "Bitte öffnen Sie die Seite neu")
	if one.Status() != 403 {
		one.t.Errorf("a foreign form is answered with %d", one.Status())
	}
}

// testPassword: a login that is minutes old is not enough to change it; the
// other browsers are signed out by the change.
func testPassword(t *testing.T, nw *Network, one, two walker) {
	const better = "acht-rote-reiher"
	hub := nw.Hub()
	two.signIn(nw.Member("melle"), "/konto", personPassword)
	one.open(hub, desk.PasswordPath, "Passwort ändern", "Mindestens 8 Zeichen.")
	for _, m := range nw.Members() {
		m.SetClock(6 * time.Minute) // and it stays so: time does not go back
	}
	one.open(hub, desk.PasswordPath, "Zu Ihrem Schutz fragen wir vor diesem Schritt noch einmal")
	one.send(map[string]string{"username": personUser, "password": personPassword}, "Passwort ändern", "Mindestens 8 Zeichen.")
	one.send(map[string]string{"neu": "kurz", "neu2": "kurz"}, "Ein Passwort hat 8 bis 256 Zeichen")
	one.send(map[string]string{"neu": better, "neu2": "anders-geschrieben"}, "Die beiden Passwörter sind verschieden.")
	one.send(map[string]string{"neu": better, "neu2": better}, "Ihr neues Passwort gilt ab sofort", "Stadt Melle Abgemeldet")
	two.signedIn(nw.Member("melle"), false)
	two.open(nw.Member("melle"), "/anmelden")
	two.send(map[string]string{"username": personUser, "password": personPassword}, "Die Anmeldung hat nicht geklappt")
	if _, err := call[*portal.AccountEnd](t, hub, "accountpassword", fmt.Sprintf(`{"username":%q,"password":%q}`, personUser, personPassword)); err != nil {
		t.Fatal(err)
	}
	one.signedIn(nw.Member("melle"), false)
}

// testCode: the operator prints a code, the citizen sets a password with it.
func testCode(t *testing.T, nw *Network) {
	hub, c := nw.Hub(), nw.walker(t)
	made, err := call[*portal.AccountCode](t, hub, "accountcode", fmt.Sprintf(`{"username":%q}`, personUser))
	if err != nil || made.URL != hub.Entity.URL(desk.RecoverPath) {
		t.Fatalf("%+v %v", made, err)
	}
	c.open(nw.Member("bissendorf"), "/anmelden")
	c.must(c.Click(t.Context(), "Passwort vergessen?"))
	c.must(c.Expect("Neues Passwort setzen", "Rufen Sie an: "))
	fields := map[string]string{"username": personUser, "code": "AAAA-BBBB-CCCC", "neu": personPassword, "neu2": personPassword}
	c.send(fields, "Benutzername oder Code stimmen nicht.")
	fields["code"] = made.Code
	c.send(fields, "Ihr neues Passwort gilt ab sofort")
	c.open(hub, desk.RecoverPath)
	c.send(fields, "Benutzername oder Code stimmen nicht.") // once
	c.signIn(hub, "/konto", personPassword)
}

func testExport(t *testing.T, nw *Network) {
	c := nw.walker(t)
	c.signIn(nw.Member("bissendorf"), "/konto", personPassword)
	c.signIn(nw.Hub(), desk.DataPath, "")
	c.must(c.Expect("Ihre Daten", personUser, personMail))
	c.must(c.Click(t.Context(), "Datei herunterladen"))
	var e desk.Export
	if err := json.Unmarshal([]byte(c.body), &e); err != nil {
		t.Fatal(err)
	}
	if e.Account.Username != personUser || e.Account.Claims.Email != personMail || len(e.History) < 6 {
		t.Errorf("the copy holds %s", c.body)
	}
	here := 0
	for _, s := range e.Sessions {
		if s.Here {
			here += len(s.Portals)
		}
	}
	if len(e.Sessions) < 2 || here != 2 {
		t.Errorf("this browser is signed in at %d portals in the copy, want 2, and another one somewhere: %s", here, c.body)
	}
	subs := map[string]string{}
	for _, h := range e.History {
		if h.Subject == "" || subs[h.ID] != "" && subs[h.ID] != h.Subject {
			t.Errorf("subject %q at %s", h.Subject, h.ID)
		}
		subs[h.ID] = h.Subject
	}
	if strings.Contains(c.body, "argon2") || strings.Contains(c.body, personPassword) {
		t.Error("the copy holds the password")
	}
}

// testDelete: the account ends everywhere, a portal that is down is named, and
// nothing of the person is left at the hub.
func testDelete(t *testing.T, nw *Network, id string) {
	ctx := within(t, time.Minute)
	hub, home, other, c := nw.Hub(), nw.Member("bissendorf"), nw.Member("melle"), nw.walker(t)
	c.signIn(home, "/konto", personPassword)
	c.signIn(other, "/konto", "")
	c.signIn(hub, desk.DeletePath, "")
	if err := other.Kill(); err != nil {
		t.Fatal(err)
	}
	c.must(c.Expect("Konto löschen", "Ein gelöschtes Konto kann niemand wiederherstellen."))
	c.send(map[string]string{}, "Bitte bestätigen Sie, dass Sie Ihr Konto löschen möchten.")
	c.send(map[string]string{"verstanden": "1"}, "Ihr Konto ist gelöscht", "Gemeinde Bissendorf Abgemeldet", "Stadt Melle Antwortet noch nicht", "Landkreis Osnabrück Abgemeldet")
	c.signedIn(home, false)
	c.signedIn(hub, false)
	c.open(home, "/anmelden")
	c.send(map[string]string{"username": personUser, "password": personPassword}, "Die Anmeldung hat nicht geklappt")
	c.must(other.Restart(ctx))
	c.must(nw.AwaitConverged(ctx))
	c.must(Await(ctx, func() error { // the hub tries again
		if err := c.Open(ctx, other.Entity.URL("/konto")); err != nil {
			return err
		}
		if c.Sees(personName) {
			return fmt.Errorf("%w: still signed in at Melle", ErrAwait)
		}
		return nil
	}))
	nothingLeft(t, hub, id, personUser, personName, personMail)
	nothingLeft(t, home, personUser, personName, personMail)
}

// nothingLeft stops a node and reads its store.
func nothingLeft(t *testing.T, m *Member, words ...string) {
	t.Helper()
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
	st, err := store.OpenBolt(m.dir("data", "store.db"), m.now)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = st.Scan(t.Context(), "", func(key string, value []byte) bool {
		n++
		for _, w := range words {
			if strings.Contains(key, w) || bytes.Contains(bytes.ToLower(value), []byte(strings.ToLower(w))) {
				t.Errorf("%s: %s holds %q", m.Name, key, w)
			}
		}
		return true
	})
	if err != nil || n == 0 {
		t.Fatalf("%d entries read: %v", n, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Restart(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// call is an operator's verb with an argument.
func call[Out any](t *testing.T, m *Member, name, argument string) (out Out, err error) {
	t.Helper()
	v, err := m.Node().Verbs()[name](t.Context(), []byte(argument))
	if err != nil {
		return out, err
	}
	out, ok := v.(Out)
	if !ok {
		return out, fmt.Errorf("%s answers with %T", name, v)
	}
	return out, nil
}
