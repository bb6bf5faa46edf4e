package report_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/report"
)

const (
	typeReport = "rathausnetz-report+jwt"
	typeGap    = "rathausnetz-gap+jwt"
)

// net is a network of desks on loopback with one clock.
type net struct {
	t     *testing.T
	keys  map[federation.EntityID]*trust.Keys
	desks map[federation.EntityID]*report.Desk
	hub   federation.EntityID

	mu     sync.Mutex
	now    time.Time
	member map[federation.EntityID]bool
}

func newNet(t *testing.T) *net {
	return &net{t: t, keys: map[federation.EntityID]*trust.Keys{}, desks: map[federation.EntityID]*report.Desk{},
		member: map[federation.EntityID]bool{}, now: time.Unix(1_800_000_000, 0)}
}

func (n *net) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.now
}

func (n *net) pass(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = n.now.Add(d)
}

// add starts a member; down says whether its server is cut off.
func (n *net) add(isHub bool) (id federation.EntityID, down *atomic.Bool) {
	n.t.Helper()
	keys, err := trust.CreateKeys(n.t.TempDir())
	if err != nil {
		n.t.Fatal(err)
	}
	down = new(atomic.Bool)
	var handlers map[string]http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := handlers[r.URL.Path]
		if down.Load() || h == nil {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	}))
	n.t.Cleanup(srv.Close)
	id = federation.EntityID(srv.URL)
	if isHub {
		n.hub = id
	}
	st := store.NewMemory(n.clock)
	n.t.Cleanup(func() { st.Close() })
	d := report.New(report.Config{
		Self: id, Hub: func() federation.EntityID { return n.hub }, IsHub: isHub, Area: region.MustArea("03459"), HTTP: srv.Client(), Store: st, Now: n.clock,
		Key: func() *trust.Key { return keys.Federation[0] },
		Keys: func(id federation.EntityID) (trust.JWKS, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			if !n.member[id] {
				return trust.JWKS{}, errors.New("no chain")
			}
			return n.keys[id].FederationJWKS(), nil
		},
		Known: func(key leika.ID, _ region.Area) bool { return key == leika.MustParse("99102013104000") },
	})
	handlers = d.Handlers()
	n.keys[id], n.desks[id], n.member[id] = keys, d, true
	return id, down
}

func TestRemarkReachesItsOwner(t *testing.T) {
	n := newNet(t)
	here, _ := n.add(false)
	owner, _ := n.add(false)
	ctx := t.Context()
	ref, delivered, err := n.desks[here].Send(ctx, "visitor", report.Remark{Owner: owner, Offer: "D1:LB.1", Text: " Die Kosten stimmen nicht. "})
	if err != nil || !delivered {
		t.Fatalf("%q, %v, %v", ref, delivered, err)
	}
	es, err := n.desks[owner].List(ctx)
	if err != nil || len(es) != 1 || es[0].Reference != ref || es[0].From != here || es[0].Offer != "D1:LB.1" || es[0].Text != "Die Kosten stimmen nicht." {
		t.Fatalf("%+v, %v", es, err)
	}
	expectState(t, n.desks[here], ref, report.Open)
	if _, err := n.desks[owner].Answer(ctx, ref, strings.Repeat("ä", 601)); !errors.Is(err, report.ErrTooLarge) {
		t.Errorf("a long answer: %v", err)
	}
	if _, err := n.desks[owner].Answer(ctx, strings.ToLower(ref), " Die Gebühr stimmt jetzt. "); err != nil {
		t.Fatal(err)
	}
	expectState(t, n.desks[here], ref, report.Done)
	if _, answer, err := n.desks[here].StateOf(ctx, ref); err != nil || answer != "Die Gebühr stimmt jetzt." {
		t.Errorf("the answer is %q, %v", answer, err)
	}
	if _, err := n.desks[owner].Close(ctx, ref); err != nil {
		t.Fatal(err)
	}
	if _, answer, _ := n.desks[here].StateOf(ctx, ref); answer == "" {
		t.Error("closing once more has dropped the answer")
	}
	if _, _, err := n.desks[here].StateOf(ctx, "AAAA-AAAA-AAAA"); !errors.Is(err, report.ErrUnknown) {
		t.Errorf("an unknown reference: %v", err)
	}
	own, delivered, err := n.desks[here].Send(ctx, "visitor", report.Remark{Owner: here, Text: "Das Portal ist zu bunt."})
	if err != nil || !delivered {
		t.Fatal(delivered, err)
	}
	expectState(t, n.desks[here], own, report.Open)
}

func expectState(t *testing.T, d *report.Desk, ref string, want report.State) {
	t.Helper()
	if got, _, err := d.StateOf(t.Context(), ref); err != nil || got != want {
		t.Errorf("%s is %q, %v; want %q", ref, got, err, want)
	}
}

// A remark for a member that does not answer is kept and delivered later.
func TestRemarkWaits(t *testing.T) {
	n := newNet(t)
	here, _ := n.add(false)
	owner, down := n.add(false)
	down.Store(true)
	ref, delivered, err := n.desks[here].Send(t.Context(), "visitor", report.Remark{Owner: owner, Text: "Das Formular fehlt."})
	if err != nil || delivered {
		t.Fatalf("delivered %v, %v", delivered, err)
	}
	expectState(t, n.desks[here], ref, report.Waiting)
	down.Store(false)
	n.desks[here].DeliverWaiting(t.Context())
	expectState(t, n.desks[here], ref, report.Waiting) // not due yet
	n.pass(time.Minute)
	n.desks[here].DeliverWaiting(t.Context())
	expectState(t, n.desks[here], ref, report.Open)
	down.Store(true)
	if s, _, err := n.desks[here].StateOf(t.Context(), ref); err == nil {
		t.Errorf("a silent owner says %q", s)
	}
	n.mu.Lock()
	n.member[owner] = false // revoked
	n.mu.Unlock()
	expectState(t, n.desks[here], ref, report.Left)
}

// Each message that is not a fresh remark of a member for this one is refused.
func TestHostileRemarks(t *testing.T) {
	n := newNet(t)
	sender, _ := n.add(false)
	owner, _ := n.add(false)
	stranger, _ := n.add(false)
	n.member[stranger] = false
	other, _ := n.add(false)
	now := n.clock().Unix()
	good := func(jti, ref string) map[string]any {
		return map[string]any{"iss": sender, "aud": owner, "iat": now, "exp": now + 300, "jti": jti, "reference": ref, "text": "Stimmt nicht."}
	}
	with := func(m map[string]any, k string, v any) map[string]any {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
		return m
	}
	type message struct {
		name   string
		typ    string
		by     federation.EntityID
		claims map[string]any
		status int
	}
	first := good("J2", "AAAA-AAAA-AAAB")
	for _, m := range []message{
		{"good", typeReport, sender, first, 204},
		{"replay", typeReport, sender, first, 409},
		{"again with a new id", typeReport, sender, good("J3", "AAAA-AAAA-AAAB"), 204},
		{"reference of another", typeReport, other, with(good("J2", "AAAA-AAAA-AAAB"), "iss", other), 400},
		{"not a member", typeReport, stranger, with(good("J4", "AAAA-AAAA-AAAC"), "iss", stranger), 403},
		{"signed by another", typeReport, other, good("J5", "AAAA-AAAA-AAAD"), 400},
		{"for another", typeReport, sender, with(good("J6", "AAAA-AAAA-AAAE"), "aud", other), 400},
		{"no audience", typeReport, sender, with(good("J7", "AAAA-AAAA-AAAF"), "aud", nil), 400},
		{"other typ", typeGap, sender, good("J2A", "AAAA-AAAA-AAAG"), 400},
		{"expired", typeReport, sender, with(with(good("J2B", "AAAA-AAAA-AAAH"), "iat", now-600), "exp", now-300), 400},
		{"no expiry", typeReport, sender, with(good("J2C", "AAAA-AAAA-AAAI"), "exp", nil), 400},
		{"from tomorrow", typeReport, sender, with(with(good("J2D", "AAAA-AAAA-AAAJ"), "iat", now+86400), "exp", now+86700), 400},
		{"for a year", typeReport, sender, with(good("J2E", "AAAA-AAAA-AAAK"), "exp", now+365*86400), 400},
		{"no id", typeReport, sender, with(good("", "AAAA-AAAA-AAAL"), "jti", nil), 400},
		{"id with a path", typeReport, sender, good("../J", "AAAA-AAAA-AAAM"), 400},
		{"reference with a path", typeReport, sender, good("J2F", "../../anchor"), 400},
		{"no text", typeReport, sender, with(good("J2G", "AAAA-AAAA-AAAN"), "text", ""), 400},
		{"text too long", typeReport, sender, with(good("J2H", "AAAA-AAAA-AAAO"), "text", strings.Repeat("a", 2001)), 400},
		{"claims too large", typeReport, sender, with(good("J2I", "AAAA-AAAA-AAAP"), "text", strings.Repeat("ä", 2100)), 413},
		{"body too large", typeReport, sender, with(good("J2J", "AAAA-AAAA-AAAQ"), "text", strings.Repeat("a", 9000)), 413},
	} {
		compact, err := trust.Sign(n.keys[m.by].Federation[0], m.typ, m.claims)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.post(owner, report.Path, compact); got != m.status {
			t.Errorf("%s: %d, want %d", m.name, got, m.status)
		}
	}
	for _, s := range []string{"", "x", "a.b.c", strings.Repeat("a", 20000)} {
		if got := n.post(owner, report.Path, s); got != 400 && got != 413 {
			t.Errorf("%.10q: %d", s, got)
		}
	}
	if es, err := n.desks[owner].List(t.Context()); err != nil || len(es) != 1 {
		t.Errorf("%d remarks are kept, want 1: %v", len(es), err)
	}
}

func (n *net) post(to federation.EntityID, path, body string) int {
	n.t.Helper()
	resp, err := http.Post(to.URL(path), "application/jwt", strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// One member's flood is stopped and does not touch another's remarks.
func TestFloodOfAMember(t *testing.T) {
	n := newNet(t)
	flooder, _ := n.add(false)
	quiet, _ := n.add(false)
	owner, _ := n.add(false)
	refused := 0
	for i := range 70 {
		_, delivered, err := n.desks[flooder].Send(t.Context(), fmt.Sprint("visitor", i), report.Remark{Owner: owner, Text: "Spam"})
		if err != nil {
			t.Fatal(err)
		}
		if !delivered {
			refused++
		}
	}
	if refused != 10 {
		t.Errorf("%d of 70 were not taken at once, want 10", refused)
	}
	if _, delivered, err := n.desks[quiet].Send(t.Context(), "visitor", report.Remark{Owner: owner, Text: "Echter Hinweis"}); err != nil || !delivered {
		t.Errorf("another member's remark: %v, %v", delivered, err)
	}
}

func TestSendRefuses(t *testing.T) {
	n := newNet(t)
	here, _ := n.add(false)
	gone, _ := n.add(false)
	n.member[gone] = false
	for _, c := range []struct {
		name string
		r    report.Remark
		want error
	}{
		{"not a member", report.Remark{Owner: gone, Text: "x"}, report.ErrNotMember},
		{"empty", report.Remark{Owner: here, Text: "  "}, report.ErrTooLarge},
		{"long", report.Remark{Owner: here, Text: strings.Repeat("a", 2001)}, report.ErrTooLarge},
		{"many bytes", report.Remark{Owner: here, Text: strings.Repeat("<", 1999)}, report.ErrTooLarge},
	} {
		if _, _, err := n.desks[here].Send(t.Context(), "v", c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	for range 60 {
		if _, _, err := n.desks[here].Send(t.Context(), "one", report.Remark{Owner: here, Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := n.desks[here].Send(t.Context(), "one", report.Remark{Owner: here, Text: "x"}); !errors.Is(err, report.ErrBusy) {
		t.Errorf("the 61st of one visitor: %v", err)
	}
}

// A gap is told once a day; the page may only say so when the hub knows it.
func TestGap(t *testing.T) {
	n := newNet(t)
	hub, down := n.add(true)
	here, _ := n.add(false)
	ctx, dog := t.Context(), leika.MustParse("99102013104000")
	belm := region.MustArea("034590008008")
	down.Store(true)
	if n.desks[here].TellGap(ctx, dog, belm) {
		t.Error("a silent hub is said to know")
	}
	down.Store(false)
	if n.desks[here].TellGap(ctx, dog, belm) {
		t.Error("a hub that was silent a moment ago is asked for each page")
	}
	n.pass(2 * time.Minute)
	for range 3 {
		if !n.desks[here].TellGap(ctx, dog, belm) {
			t.Fatal("the hub was not told")
		}
	}
	expectGap(t, n, hub, 1)
	n.pass(25 * time.Hour)
	if !n.desks[here].TellGap(ctx, dog, belm) || !n.desks[hub].TellGap(ctx, dog, belm) {
		t.Error("the hub was not told again")
	}
	expectGap(t, n, hub, 3)
	for name, ok := range map[string]bool{
		"unknown key":  n.desks[here].TellGap(ctx, leika.MustParse("99008001012000"), belm),
		"other Kreis":  n.desks[here].TellGap(ctx, dog, region.MustArea("010010000000")),
		"whole Land":   n.desks[here].TellGap(ctx, dog, region.MustArea("03")),
		"whole nation": n.desks[here].TellGap(ctx, dog, region.Area{}),
	} {
		if ok {
			t.Errorf("%s was told", name)
		}
	}
	if _, err := n.desks[here].Gaps(ctx); !errors.Is(err, report.ErrNoHub) {
		t.Errorf("gaps of a member: %v", err)
	}
}

func expectGap(t *testing.T, n *net, hub federation.EntityID, count int) {
	t.Helper()
	gs, err := n.desks[hub].Gaps(t.Context())
	if err != nil || len(gs) != 1 || gs[0].Count != count || gs[0].Leika != "99102013104000" || gs[0].Area != "034590008008" {
		t.Errorf("%+v, %v; want one gap told %d times", gs, err, count)
	}
}

func TestHostileGaps(t *testing.T) {
	n := newNet(t)
	hub, _ := n.add(true)
	sender, _ := n.add(false)
	stranger, _ := n.add(false)
	n.member[stranger] = false
	now := n.clock().Unix()
	for i, m := range []struct {
		name        string
		by          federation.EntityID
		key, area   string
		to          federation.EntityID
		typ         string
		status, all int
	}{
		{"good", sender, "99102013104000", "034590008008", hub, typeGap, 204, 1},
		{"not a member", stranger, "99102013104000", "034590008008", hub, typeGap, 403, 1},
		{"for another", sender, "99102013104000", "034590008008", stranger, typeGap, 400, 1},
		{"unknown key", sender, "99008001012000", "034590008008", hub, typeGap, 400, 1},
		{"no key", sender, "../99", "034590008008", hub, typeGap, 400, 1},
		{"other Kreis", sender, "99102013104000", "010010000000", hub, typeGap, 400, 1},
		{"other typ", sender, "99102013104000", "034590008008", hub, typeReport, 400, 1},
	} {
		compact, err := trust.Sign(n.keys[m.by].Federation[0], m.typ, map[string]any{
			"iss": m.by, "aud": m.to, "iat": now, "exp": now + 60, "jti": "JA" + string(rune('A'+i)), "leika": m.key, "area": m.area})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.post(hub, report.GapPath, compact); got != m.status {
			t.Errorf("%s: %d, want %d", m.name, got, m.status)
		}
		if gs, err := n.desks[hub].Gaps(t.Context()); err != nil || len(gs) != m.all {
			t.Errorf("%s: %d gaps, %v", m.name, len(gs), err)
		}
	}
}
