package anchor_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

func TestCodeText(t *testing.T) {
	h := newHub(t)
	code, err := h.Invite(t.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	text := code.String()
	for name, s := range map[string]string{
		"as it is":          text,
		"lower case":        strings.ToLower(text),
		"without dashes":    strings.ReplaceAll(text, "-", ""),
		"wrapped in mail":   strings.ReplaceAll(text, "-", "-\r\n  "),
		"with non-breaking": "\u00a0" + strings.ReplaceAll(text, "-", "\u2011") + " \n",
		"O for 0, l for 1":  strings.ReplaceAll(strings.ReplaceAll(text, "0", "O"), "1", "l"),
	} {
		got, err := anchor.ParseCode(s, true)
		if err != nil || got.Hub != code.Hub || !bytes.Equal(got.Secret, code.Secret) || !bytes.Equal(got.Fingerprint, code.Fingerprint) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	change := func(i int) string {
		b := []byte(text)
		if b[i]++; b[i] == 'U' || b[i] == '9'+1 || b[i] > 'Z' || b[i] == 'O' || b[i] == 'I' || b[i] == 'L' {
			b[i] = '7'
			if text[i] == '7' {
				b[i] = '8'
			}
		}
		return string(b)
	}
	for name, c := range map[string]struct {
		s    string
		want error
	}{
		"one letter":     {change(10), anchor.ErrCodeTypo},
		"last letter":    {change(len(text) - 3), anchor.ErrCodeTypo},
		"cut off":        {text[:len(text)-9], anchor.ErrCodeTypo},
		"two swapped":    {swap(text), anchor.ErrCodeTypo},
		"strange letter": {text[:10] + "U" + text[11:], anchor.ErrCodeTypo},
		"something else": {"https://kreis.example/join", anchor.ErrCodeForm},
		"empty":          {"", anchor.ErrCodeForm},
		"prefix only":    {"RN1", anchor.ErrCodeTypo},
		"very long":      {"RN1" + strings.Repeat("0", 5000), anchor.ErrCodeForm},
	} {
		if _, err := anchor.ParseCode(c.s, true); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := anchor.ParseCode(text, false); !errors.Is(err, anchor.ErrCodeForm) {
		t.Errorf("loopback hub without permission: %v", err)
	}
}

// swap exchanges two neighbours that differ.
func swap(s string) string {
	b := []byte(s)
	for i := 5; i < len(b)-1; i++ {
		if b[i] != b[i+1] && b[i] != '-' && b[i+1] != '-' {
			b[i], b[i+1] = b[i+1], b[i]
			return string(b)
		}
	}
	return s
}

func FuzzParseCode(f *testing.F) {
	good := anchor.Code{Hub: "https://kreis.example", Fingerprint: make([]byte, 16), Secret: make([]byte, 16)}
	f.Add(good.String())
	f.Add("RN1-000000")
	f.Add("rn1 " + strings.ToLower(good.String()))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := anchor.ParseCode(s, false)
		if err != nil {
			return
		}
		again, err := anchor.ParseCode(c.String(), false)
		if err != nil || again.Hub != c.Hub || !bytes.Equal(again.Secret, c.Secret) {
			t.Errorf("%q became %q: %v", s, c.String(), err)
		}
	})
}

func TestCodeUsedExpiredUnknown(t *testing.T) {
	h := newHub(t)
	ctx := t.Context()
	invite := func() anchor.Code {
		code, err := h.Invite(ctx, "operator", gemeinde("melle", "034590024024"))
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	code := invite()
	if _, err := h.applicant(t, "melle").Join(ctx, code); err != nil {
		t.Fatal(err)
	}
	if _, err := h.applicant(t, "bohmte").Join(ctx, code); !errors.Is(err, anchor.ErrCodeUsed) {
		t.Errorf("second use: %v", err)
	}
	old := invite()
	h.clock.Add(24*time.Hour + time.Second)
	if _, err := h.applicant(t, "belm").Join(ctx, old); !errors.Is(err, anchor.ErrCodeExpired) {
		t.Errorf("expired: %v", err)
	}
	unknown := invite()
	rand.Read(unknown.Secret)
	if _, err := h.applicant(t, "bippen").Join(ctx, unknown); !errors.Is(err, anchor.ErrCodeUnknown) {
		t.Errorf("unknown: %v", err)
	}
	sentences := map[string]bool{}
	for _, err := range []error{anchor.ErrCodeUsed, anchor.ErrCodeExpired, anchor.ErrCodeUnknown, anchor.ErrFingerprint, anchor.ErrCodeTypo, anchor.ErrCodeForm, anchor.ErrNotApproved, anchor.ErrRefused} {
		sentences[err.Error()] = true
	}
	if len(sentences) != 8 {
		t.Error("two errors have one sentence")
	}
}

func TestFingerprintIsComparedBeforeTheSecretIsSent(t *testing.T) {
	h := newHub(t)
	code, err := h.Invite(t.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	h.Change(func() { h.keys.Federation = []*trust.Key{trusttest.Key("mallory")} })
	before := h.Requests("kreis", "/federation/join")
	if _, err := h.applicant(t, "melle").Join(t.Context(), code); !errors.Is(err, anchor.ErrFingerprint) {
		t.Errorf("%v", err)
	}
	if h.Requests("kreis", "/federation/join") != before {
		t.Error("something was sent to a hub with a wrong key")
	}
	// An impostor that shows the genuine key beside its own, and signs with its own.
	h.Change(func() {
		h.keys.Federation = []*trust.Key{trusttest.Key("mallory"), trusttest.Key("kreis")}
	})
	if _, err := h.applicant(t, "melle").Join(t.Context(), code); !errors.Is(err, anchor.ErrFingerprint) {
		t.Errorf("impostor: %v", err)
	}
	if h.Requests("kreis", "/federation/join") != before {
		t.Error("the secret went to an impostor")
	}
}

func TestOneCodeFiftyCallers(t *testing.T) {
	h := newHub(t)
	code, err := h.Invite(t.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	const callers = 50
	var applicants []*applicant
	for i := range callers {
		applicants = append(applicants, h.applicant(t, fmt.Sprintf("g%d", i)))
	}
	results := make([]error, callers)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i, p := range applicants {
		wg.Go(func() {
			<-start
			_, results[i] = p.Join(t.Context(), code)
		})
	}
	close(start)
	wg.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, anchor.ErrCodeUsed):
			t.Errorf("%v", err)
		}
	}
	pending, err := h.List(t.Context(), anchor.Filter{State: anchor.StatePending})
	if err != nil || won != 1 || len(pending) != 1 {
		t.Errorf("%d joined, %d pending, %v", won, len(pending), err)
	}
}

func TestControlOfTheAddressIsProved(t *testing.T) {
	h := newHub(t)
	code, err := h.Invite(t.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	p := h.applicant(t, "melle")
	show := p.entity.Serve
	h.Change(func() {
		p.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool { http.NotFound(w, r); return true }
	})
	if _, err := p.Join(t.Context(), code); !errors.Is(err, anchor.ErrControl) {
		t.Errorf("not reachable: %v", err)
	}
	other := h.applicant(t, "bohmte")
	h.Change(func() {
		p.entity.Serve = func(w http.ResponseWriter, r *http.Request) bool { return other.entity.Serve(w, r) }
	})
	if _, err := p.Join(t.Context(), code); !errors.Is(err, anchor.ErrControl) {
		t.Errorf("somebody else's configuration: %v", err)
	}
	h.Change(func() {
		p.entity.Serve = show
	})
	real := p.keys
	h.Change(func() { p.keys = &trust.Keys{Federation: []*trust.Key{trusttest.Key("mallory")}} })
	impostor, err := anchor.NewClient(anchor.ClientConfig{Self: p.entity.ID, Keys: func() *trust.Keys { return real }, HTTP: h.Federation.Client(), AllowLoopback: true, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := impostor.Join(t.Context(), code); !errors.Is(err, anchor.ErrControl) {
		t.Errorf("another key than the address shows: %v", err)
	}
	// None of it used the code up.
	h.Change(func() { p.keys = real })
	if _, err := p.Join(t.Context(), code); err != nil {
		t.Error(err)
	}
}

func (h *hub) post(t testing.TB, path, typ, body string) answer {
	t.Helper()
	res, err := h.Federation.Client().Post(h.entity.ID.URL(path), "application/"+typ, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func TestSignedRequests(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	now := h.clock.Now()
	claims := func(change func(map[string]any)) string {
		c := map[string]any{"iss": p.entity.ID, "aud": h.entity.ID, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": rand.Text()}
		change(c)
		s, err := trust.Sign(p.keys.Federation[0], "gossip-keys-request+jwt", c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := claims(func(map[string]any) {})
	a := h.post(t, "/federation/gossip-keys", "gossip-keys-request+jwt", good)
	if a.status != http.StatusOK || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	h.post(t, "/federation/gossip-keys", "gossip-keys-request+jwt", good).is(t, http.StatusBadRequest, "replayed")
	for name, body := range map[string]string{
		"other audience": claims(func(c map[string]any) { c["aud"] = "https://other.example" }),
		"audience list":  claims(func(c map[string]any) { c["aud"] = []any{h.entity.ID} }),
		"expired":        claims(func(c map[string]any) { c["exp"] = now.Add(-time.Second).Unix() }),
		"no exp":         claims(func(c map[string]any) { delete(c, "exp") }),
		"lives an hour":  claims(func(c map[string]any) { c["exp"] = now.Add(time.Hour).Unix() }),
		"no jti":         claims(func(c map[string]any) { delete(c, "jti") }),
		"iss is the hub": claims(func(c map[string]any) { c["iss"] = h.entity.ID }),
		"no token":       "x",
	} {
		a := h.post(t, "/federation/gossip-keys", "gossip-keys-request+jwt", body)
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	h.post(t, "/federation/gossip-keys", "join-status+jwt", good).is(t, http.StatusUnsupportedMediaType, "invalid_request")
	h.post(t, "/federation/join", "join-status+jwt", good).is(t, http.StatusBadRequest, "invalid_request")
	h.get(t, "/federation/gossip-keys", nil).is(t, http.StatusMethodNotAllowed, "invalid_request")
	forged, err := trust.Sign(trusttest.Key("mallory"), "gossip-keys-request+jwt", map[string]any{"iss": p.entity.ID, "aud": h.entity.ID, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "x"})
	if err != nil {
		t.Fatal(err)
	}
	h.post(t, "/federation/gossip-keys", "gossip-keys-request+jwt", forged).is(t, http.StatusBadRequest, "invalid_request")
	stranger := strings.Replace(string(p.entity.ID), "melle", "fremd", 1)
	unknown := claims(func(c map[string]any) { c["iss"] = stranger })
	h.post(t, "/federation/gossip-keys", "gossip-keys-request+jwt", unknown).is(t, http.StatusNotFound, "not_found")
}

func TestGossipKeysRotateOnRevocation(t *testing.T) {
	h := newHub(t)
	stays, goes := h.member(t, "melle", "034590024024"), h.member(t, "bohmte", "034590013013")
	first, _, err := stays.FetchGossipKeys(t.Context(), stays.ticket)
	if err != nil || len(first) != 1 {
		t.Fatal(err)
	}
	if err := h.Revoke(t.Context(), "operator", goes.entity.ID, "Austritt"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := goes.FetchGossipKeys(t.Context(), goes.ticket); !errors.Is(err, anchor.ErrNotMember) {
		t.Errorf("the revoked member: %v", err)
	}
	keys, again, err := stays.FetchGossipKeys(t.Context(), stays.ticket)
	if err != nil || len(keys) != 2 || !bytes.Equal(keys[0], first[0]) || again > time.Minute {
		t.Fatalf("during the lead time: %d keys, again in %s, %v", len(keys), again, err)
	}
	next := keys[1]
	h.clock.Add(61 * time.Second)
	keys, _, err = stays.FetchGossipKeys(t.Context(), stays.ticket)
	if err != nil || len(keys) != 2 || !bytes.Equal(keys[0], next) {
		t.Fatalf("after the lead time: %d keys, %v", len(keys), err)
	}
	h.clock.Add(time.Hour)
	keys, _, err = stays.FetchGossipKeys(t.Context(), stays.ticket)
	if err != nil || len(keys) != 1 || !bytes.Equal(keys[0], next) {
		t.Errorf("after the grace: %d keys, %v", len(keys), err)
	}
}

func TestRescopeEndsTheFormerMark(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	before := p.marks[0].Mark
	wider := federation.Scope{Areas: []region.Area{region.MustArea("034590024024"), region.MustArea("034590013013")}}
	if err := h.Rescope(t.Context(), "operator", p.entity.ID, wider); err != nil {
		t.Fatal(err)
	}
	if len(h.notices) != 1 {
		t.Fatalf("%d notices", len(h.notices))
	}
	n, err := trust.PeekNotice(h.notices[0])
	if err != nil || n.Reason != "rescoped" || n.Generation != 1 {
		t.Errorf("%+v %v", n, err)
	}
	if s := h.status(t, before); s != "revoked" {
		t.Errorf("former mark is %s", s)
	}
	// With the former mark the member is in the chain, but has no scope.
	c, err := h.resolver.Fresh(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Member(); !errors.Is(err, trust.ErrMark) {
		t.Errorf("with the former mark: %v", err)
	}
	p.refreshMark(t)
	if c, err = h.resolver.Fresh(t.Context(), p.entity.ID); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Member(); err != nil || len(m.Scope.Areas) != 2 {
		t.Errorf("%+v %v", m, err)
	}
	if err := h.Rescope(t.Context(), "operator", p.entity.ID, federation.Scope{Subtree: []region.Area{region.MustArea("03")}}); !errors.Is(err, anchor.ErrScope) {
		t.Errorf("wider than the hub: %v", err)
	}
}

func TestStatesThatDoNotAllowIt(t *testing.T) {
	h := newHub(t)
	ctx := t.Context()
	p := h.member(t, "melle", "034590024024")
	id := p.entity.ID
	for name, err := range map[string]error{
		"approve twice":   h.Approve(ctx, "operator", id),
		"refuse active":   h.Refuse(ctx, "operator", id, ""),
		"readmit active":  h.Readmit(ctx, "operator", id),
		"revoke stranger": h.Revoke(ctx, "operator", "https://nobody.example", ""),
	} {
		if !errors.Is(err, anchor.ErrState) && !errors.Is(err, anchor.ErrNotMember) {
			t.Errorf("%s: %v", name, err)
		}
	}
	code, err := h.Invite(ctx, "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Join(ctx, code); !errors.Is(err, anchor.ErrMember) {
		t.Errorf("an active member joins again: %v", err)
	}
	if err := h.Revoke(ctx, "operator", id, "Austritt"); err != nil {
		t.Fatal(err)
	}
	// Coming back: the same code still works, the generation grows.
	p.ticket, err = p.Join(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Approve(ctx, "operator", id); err != nil {
		t.Fatal(err)
	}
	m, err := h.Show(ctx, id)
	if err != nil || m.Generation != 2 {
		t.Errorf("generation %d, %v", m.Generation, err)
	}
}

func TestRecheckTakesOverAnnouncedKeys(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	old, next := p.keys.Federation[0], trusttest.Key("melle next")
	h.Change(func() { p.keys = &trust.Keys{Federation: []*trust.Key{old, next}} })
	if err := h.Recheck(t.Context(), p.entity.ID); err != nil {
		t.Fatal(err)
	}
	h.Change(func() { p.keys = &trust.Keys{Federation: []*trust.Key{next, old}} })
	if _, err := h.resolver.Fresh(t.Context(), p.entity.ID); err != nil {
		t.Errorf("signed with the announced key: %v", err)
	}
	h.Change(func() { p.keys = &trust.Keys{Federation: []*trust.Key{trusttest.Key("mallory")}} })
	if err := h.Recheck(t.Context(), p.entity.ID); !errors.Is(err, trust.ErrUnknownKey) {
		t.Errorf("a key that nobody announced: %v", err)
	}
}

func TestRunRechecksMembers(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	h.Change(func() {
		p.keys = &trust.Keys{Federation: []*trust.Key{p.keys.Federation[0], trusttest.Key("melle next")}}
	})
	a, err := anchor.New(anchor.Config{
		Self: h.entity.ID, Keys: func() *trust.Keys { return h.keys }, Store: h.store, HTTP: h.Federation.Client(),
		Owner: anchor.Invitation{Name: "Landkreis", Kind: federation.KindLandkreis}, AllowLoopback: true, Now: h.clock.Now,
		RecheckEvery: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for tick := time.Tick(5 * time.Millisecond); ; <-tick {
		records, err := h.Audit(ctx, 1, 100)
		if err != nil {
			t.Fatal(err)
		}
		if records[len(records)-1].Action == "keys-changed" {
			break
		}
	}
	cancel()
	wg.Wait()
	if m, err := h.Show(t.Context(), p.entity.ID); err != nil || m.Keys.Keys() != 2 {
		t.Errorf("%v %v", m.Keys.IDs(), err)
	}
}

func TestHubRotatesItsKey(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	old, next := h.keys.Federation[0], trusttest.Key("kreis next")
	h.Change(func() { h.keys = &trust.Keys{Federation: []*trust.Key{old, next}} })
	var err error
	if p.ticket, err = p.Renew(t.Context(), p.ticket); err != nil {
		t.Fatal(err)
	}
	h.Change(func() { h.keys = &trust.Keys{Federation: []*trust.Key{next, old}} })
	p.refreshMark(t)
	h.Change(func() { h.keys = &trust.Keys{Federation: []*trust.Key{trusttest.Key("mallory")}} })
	if _, err := p.Renew(t.Context(), p.ticket); !errors.Is(err, anchor.ErrFingerprint) {
		t.Errorf("a key that nobody announced: %v", err)
	}
}

func TestJ149_AuditTrail(t *testing.T) {
	h := newHub(t)
	ctx := t.Context()
	p := h.member(t, "melle", "034590024024")
	code, err := h.Invite(ctx, "operator", gemeinde("bohmte", "034590013013"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Suspend(ctx, "operator", p.entity.ID, "Prüfung"), h.Readmit(ctx, "operator", p.entity.ID), h.Revoke(ctx, "operator", p.entity.ID, "Austritt")); err != nil {
		t.Fatal(err)
	}
	n, err := h.VerifyAudit(ctx)
	if err != nil || n < 8 {
		t.Fatalf("%d records, %v", n, err)
	}
	records, err := h.Audit(ctx, 1, 100)
	if err != nil || uint64(len(records)) != n {
		t.Fatalf("%d records, %v", len(records), err)
	}
	var actions []string
	for _, r := range records {
		actions = append(actions, r.Action)
	}
	want := "invite join approve invite suspend readmit revoke gossip-key"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	trail, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"code": code.String(), "secret": base64.RawURLEncoding.EncodeToString(code.Secret), "mark": p.marks[0].Mark,
	} {
		if bytes.Contains(trail, []byte(secret)) {
			t.Errorf("the trail holds a %s", name)
		}
	}
	key := func(seq uint64) string { return fmt.Sprintf("anchor/audit/%020d", seq) }
	tamper := map[string]func(s store.Store) error{
		"one removed in the middle": func(s store.Store) error { return s.Delete(ctx, key(3)) },
		"first removed":             func(s store.Store) error { return s.Delete(ctx, key(1)) },
		"last removed":              func(s store.Store) error { return s.Delete(ctx, key(n)) },
		"head removed": func(s store.Store) error {
			return errors.Join(s.Delete(ctx, "anchor/audit-head"), s.Delete(ctx, key(n)))
		},
		"reason changed": func(s store.Store) error { return replace(ctx, s, key(5), "Prüfung", "nichts") },
		"last changed":   func(s store.Store) error { return replace(ctx, s, key(n), "revoked", "forgot!") },
		"all removed":    func(s store.Store) error { return removeAll(ctx, s) },
	}
	for name, change := range tamper {
		t.Run(name, func(t *testing.T) {
			saved := snapshot(t, h.store)
			if err := change(h.store); err != nil {
				t.Fatal(err)
			}
			if _, err := h.VerifyAudit(ctx); !errors.Is(err, anchor.ErrAudit) {
				t.Errorf("%v", err)
			}
			for k, v := range saved {
				if err := h.store.Put(ctx, k, v, 0); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := h.VerifyAudit(ctx); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func replace(ctx context.Context, s store.Store, key, old, now string) error {
	b, err := s.Get(ctx, key)
	if err != nil {
		return err
	}
	return s.Put(ctx, key, bytes.Replace(b, []byte(old), []byte(now), 1), 0)
}

func removeAll(ctx context.Context, s store.Store) error {
	var keys []string
	err := s.Scan(ctx, "anchor/audit/", func(k string, _ []byte) bool { keys = append(keys, k); return true })
	for _, k := range keys {
		err = errors.Join(err, s.Delete(ctx, k))
	}
	return err
}

func snapshot(t *testing.T, s store.Store) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if err := s.Scan(t.Context(), "anchor/audit", func(k string, v []byte) bool { out[k] = bytes.Clone(v); return true }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAuditAppendsInOneOrder(t *testing.T) {
	h := newHub(t)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if err := h.Note(t.Context(), "operator", "test", fmt.Sprint(i), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, err := h.VerifyAudit(t.Context()); err != nil || n != 30 {
		t.Errorf("%d records, %v", n, err)
	}
}

// FuzzJoinRequest: whatever is posted, the answer is a refusal of the caller's
// making and no fault of ours.
func FuzzJoinRequest(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	const self = federation.EntityID("https://kreis.example")
	a, err := anchor.New(anchor.Config{
		Self: self, Store: store.NewMemory(clock), Now: clock, HTTP: &http.Client{Transport: nobody{}},
		Keys:  func() *trust.Keys { return &trust.Keys{Federation: []*trust.Key{trusttest.Key("kreis")}} },
		Owner: anchor.Invitation{Name: "Landkreis", Kind: federation.KindLandkreis},
	})
	if err != nil {
		f.Fatal(err)
	}
	code, err := a.Invite(f.Context(), "operator", gemeinde("melle", "034590024024"))
	if err != nil {
		f.Fatal(err)
	}
	for _, secret := range []string{"AAAA", base64.RawURLEncoding.EncodeToString(code.Secret)} {
		s, err := trust.Sign(trusttest.Key("melle"), "join-request+jwt", map[string]any{"iss": "https://melle.example", "aud": self, "iat": now.Unix(), "exp": now.Unix() + 60, "jti": "a", "secret": secret})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(s)
	}
	f.Add("a.b.c")
	handler := a.Handlers()["/federation/join"]
	f.Fuzz(func(t *testing.T, body string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/federation/join", io.NopCloser(strings.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/join-request+jwt")
		w := &recorder{header: http.Header{}}
		handler.ServeHTTP(w, r)
		if w.status < 400 || w.status >= 500 {
			t.Errorf("status %d for %q", w.status, body)
		}
	})
}

// nobody answers no request.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

type recorder struct {
	header http.Header
	status int
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(status int)      { r.status = status }
