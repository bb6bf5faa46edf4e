package neighbour_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const (
	hubB   = federation.EntityID("https://portal.vechta.example")
	damme  = federation.EntityID("https://portal.damme.example")
	wohnen = "99115005104000"
)

func area(s string) region.Area { return region.MustArea(s) }

// key is the same for the same name.
func key(t *testing.T, name string) *trust.Key {
	t.Helper()
	k, err := trust.KeyFromSeed([]byte(name + strings.Repeat(".", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func vechta(t *testing.T) neighbour.Neighbour {
	return neighbour.Neighbour{ID: hubB, Name: "Landkreis Vechta", ShortName: "Vechta", Scope: federation.Scope{Subtree: []region.Area{area("03460")}},
		Keys: key(t, "vechta").Public(), Until: trust.At(now.Add(24 * time.Hour))}
}

// responder answers for the Landkreis Vechta with one member, Damme.
func responder(t *testing.T) *neighbour.Responder {
	t.Helper()
	d := directory.New(directory.Config{Now: func() time.Time { return now }})
	id := leika.MustParse(wohnen)
	c := &catalog.Catalogue{Member: damme,
		Units: []catalog.Unit{{ID: "D:amt", Name: catalog.Text{"de": "Bürgerbüro"}, Phone: "05491 00-0", Hours: catalog.Text{"de": "<p>Montag</p>"}}},
		Offers: []catalog.Offer{{ID: "D:wohnsitz", Leika: id, Title: catalog.Text{"de": "Wohnsitz anmelden", "en": "Register your home"}, Geaendert: now.Add(-time.Hour),
			Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: "D:z", Area: area("034600002002"), Role: catalog.Zustaendig, Unit: "D:amt"}},
			Onlinedienste:    []catalog.Onlinedienst{{ID: "D:o", URL: string(damme) + "/antrag/wohnsitz", Level: federation.LevelNiedrig}}}}}
	c.Normalize()
	m := federation.Member{ID: damme, Name: "Stadt Damme", ShortName: "Damme", Kind: federation.KindGemeinde, Seat: area("034600002002"), Scope: federation.Scope{Subtree: []region.Area{area("034600002002")}}}
	d.Replace(directory.Source{Member: m, Catalogue: c, Serial: 7, Fetched: now.Add(-time.Minute), Reachable: true})
	return &neighbour.Responder{Self: hubB, Directory: d, Scope: federation.Scope{Subtree: []region.Area{area("03460")}},
		Key: func() *trust.Key { return key(t, "vechta") }, Serial: func() uint64 { return 42 }, Now: func() time.Time { return now }}
}

func homeQuestion() neighbour.Question {
	return neighbour.Question{Place: area("034600002002"), Leika: leika.MustParse(wohnen)}
}

func seal(t *testing.T, q neighbour.Question) string {
	t.Helper()
	compact, err := responder(t).Seal(q)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestAnswer(t *testing.T) {
	q := homeQuestion()
	a, err := neighbour.Open(seal(t, q), q, vechta(t), false, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if a.Old || !a.At.Equal(now) || a.Serial != 42 || a.Result.Reason != directory.Own || len(a.Result.Providers) != 1 {
		t.Fatalf("%+v", a)
	}
	p := a.Result.Providers[0]
	if p.Member.ID != damme || p.Member.Name != "Stadt Damme" || p.Serial != 7 || p.Offer.Title["en"] != "Register your home" || len(p.Onlinedienste) != 1 ||
		p.Onlinedienste[0].Level != federation.LevelNiedrig || p.Unit == nil || p.Unit.Phone == "" || p.Unit.Hours != nil || !p.Geaendert.Equal(now.Add(-time.Hour)) || !p.Reachable {
		t.Errorf("provider %+v, unit %+v", p, p.Unit)
	}
}

func TestFound(t *testing.T) {
	q := neighbour.Question{Place: area("034600002002"), Texts: []string{"Wohnsitz anmelden", "Hund anmelden"}, Lang: "en"}
	a, err := neighbour.Open(seal(t, q), q, vechta(t), false, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Found) != 2 || len(a.Found[0]) != 1 || len(a.Found[1]) != 0 || a.Found[0][0].Title != "Register your home" || a.Found[0][0].Lang != "en" {
		t.Errorf("%+v", a.Found)
	}
}

// TestNobodyClaims: none is an answer of the neighbour, and stays one.
func TestNobodyClaims(t *testing.T) {
	q := neighbour.Question{Place: area("034600002002"), Leika: leika.MustParse("99102013104000")}
	a, err := neighbour.Open(seal(t, q), q, vechta(t), false, now)
	if err != nil || a.Result.Reason != directory.None || a.Result.Found() {
		t.Errorf("%+v, %v", a, err)
	}
	u := neighbour.Unknown(q, vechta(t), now)
	if u.Reason != directory.Unknown || len(u.Notices) != 1 || u.Notices[0].Kind != neighbour.NoticeSilent {
		t.Errorf("unknown: %+v", u)
	}
}

// forge seals an answer after change has been made to its claims.
func forge(t *testing.T, q neighbour.Question, by *trust.Key, change func(map[string]any)) string {
	t.Helper()
	tok, err := trust.Peek(seal(t, q), neighbour.TypeAnswer)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(tok.Claims, &c); err != nil {
		t.Fatal(err)
	}
	change(c)
	compact, err := trust.Sign(by, neighbour.TypeAnswer, c)
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func providerOf(c map[string]any) map[string]any {
	return c["result"].(map[string]any)["providers"].([]any)[0].(map[string]any)
}

// TestHostile: what a neighbour, or a hub that passes its answers on, may try.
func TestHostile(t *testing.T) {
	q, own := homeQuestion(), key(t, "vechta")
	same := func(map[string]any) {}
	elsewhere := vechta(t)
	elsewhere.Scope = federation.Scope{Subtree: []region.Area{area("03454")}}
	sealed := seal(t, q)
	cases := []struct {
		name    string
		compact string
		by      neighbour.Neighbour
		at      time.Time
		want    error
	}{
		{"wrong seal", forge(t, q, key(t, "somebody else"), same), vechta(t), now, neighbour.ErrSeal},
		{"changed on the way", sealed[:len(sealed)-5] + "AAAAA", vechta(t), now, neighbour.ErrSeal},
		{"seal of another kind", strings.Replace(sealed, ".", ".e30", 1), vechta(t), now, neighbour.ErrSeal},
		{"issued by another", forge(t, q, own, func(c map[string]any) { c["iss"] = "https://portal.emsland.example" }), vechta(t), now, neighbour.ErrSeal},
		{"answer to another question", seal(t, neighbour.Question{Place: area("034600006006"), Leika: q.Leika}), vechta(t), now, neighbour.ErrQuestion},
		{"answer for another day", seal(t, neighbour.Question{Place: q.Place, Leika: q.Leika, Date: "2027-01-01"}), vechta(t), now, neighbour.ErrQuestion},
		{"area of another", sealed, elsewhere, now, neighbour.ErrArea},
		{"claim on another place", forge(t, q, own, func(c map[string]any) { providerOf(c)["area"] = "034600006006" }), vechta(t), now, neighbour.ErrArea},
		{"expired for long", sealed, vechta(t), now.Add(neighbour.Keep + time.Hour), neighbour.ErrExpired},
		{"from the future", forge(t, q, own, func(c map[string]any) { c["iat"], c["exp"] = now.Add(time.Hour).Unix(), now.Add(2*time.Hour).Unix() }), vechta(t), now, neighbour.ErrSeal},
		{"oversize", sealed + strings.Repeat("A", neighbour.MaxAnswer), vechta(t), now, neighbour.ErrLimit},
		{"reason without anybody", forge(t, q, own, func(c map[string]any) { c["result"].(map[string]any)["providers"] = []any{} }), vechta(t), now, neighbour.ErrShape},
		{"nobody, with somebody", forge(t, q, own, func(c map[string]any) { c["result"].(map[string]any)["reason"] = "none" }), vechta(t), now, neighbour.ErrShape},
		{"form by script", forge(t, q, own, func(c map[string]any) {
			providerOf(c)["online"].([]any)[0].(map[string]any)["url"] = "javascript:alert(1)"
		}), vechta(t), now, neighbour.ErrShape},
		{"form over plain http", forge(t, q, own, func(c map[string]any) {
			providerOf(c)["online"].([]any)[0].(map[string]any)["url"] = "http://127.0.0.1/antrag"
		}), vechta(t), now, neighbour.ErrShape},
		{"portal over plain http", forge(t, q, own, func(c map[string]any) { providerOf(c)["member"] = "http://portal.damme.example" }), vechta(t), now, neighbour.ErrShape},
		{"found instead of result", forge(t, q, own, func(c map[string]any) { delete(c, "result") }), vechta(t), now, neighbour.ErrShape},
		{"too many providers", forge(t, q, own, func(c map[string]any) {
			r := c["result"].(map[string]any)
			for range 20 {
				r["providers"] = append(r["providers"].([]any), r["providers"].([]any)[0])
			}
		}), vechta(t), now, neighbour.ErrShape},
	}
	for _, c := range cases {
		if a, err := neighbour.Open(c.compact, q, c.by, false, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %+v", c.name, err, a)
		}
	}
}

// TestOld: what is past its time is labelled, whatever its seal claims.
func TestOld(t *testing.T) {
	q := homeQuestion()
	long := forge(t, q, key(t, "vechta"), func(c map[string]any) { c["exp"] = now.Add(300 * time.Hour).Unix() })
	proof := vechta(t)
	proof.Until = trust.At(now)
	for name, c := range map[string]struct {
		compact string
		by      neighbour.Neighbour
		at      time.Time
		old     bool
	}{
		"fresh":                {seal(t, q), vechta(t), now.Add(9 * time.Minute), false},
		"expired":              {seal(t, q), vechta(t), now.Add(11 * time.Minute), true},
		"claims a longer life": {long, vechta(t), now.Add(11 * time.Minute), true},
		"proof has run out":    {seal(t, q), proof, now.Add(time.Minute), true},
	} {
		a, err := neighbour.Open(c.compact, q, c.by, false, c.at)
		if err != nil || a.Old != c.old || a.Result.Providers[0].Stale != c.old || a.Result.Providers[0].Reachable == c.old {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestQuestion(t *testing.T) {
	q := homeQuestion()
	q.Date, q.Lang = "2026-12-24", "en"
	got, err := neighbour.ParseQuestion(q.Values())
	if err != nil || got.Digest(hubB) != q.Digest(hubB) || got.Digest(hubB) == q.Digest(damme) {
		t.Errorf("%+v, %v", got, err)
	}
	for name, v := range map[string]url.Values{
		"a Land":         {"place": {"03"}, "leika": {wohnen}},
		"nothing":        {"place": {"03460"}},
		"both":           {"place": {"03460"}, "leika": {wohnen}, "text": {"Hund"}},
		"two places":     {"place": {"03460", "03459"}, "leika": {wohnen}},
		"no place":       {"leika": {wohnen}},
		"unknown":        {"place": {"03460"}, "leika": {wohnen}, "name": {"x"}},
		"no date":        {"place": {"03460"}, "leika": {wohnen}, "date": {"morgen"}},
		"long text":      {"place": {"03460"}, "text": {strings.Repeat("a", 81)}},
		"control":        {"place": {"03460"}, "text": {"a\nb"}},
		"too many texts": {"place": {"03460"}, "text": make([]string, 17)},
		"empty text":     {"place": {"03460"}, "text": {""}},
	} {
		if _, err := neighbour.ParseQuestion(v); !errors.Is(err, neighbour.ErrAsked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := responder(t).Seal(neighbour.Question{Place: area("034590024024"), Leika: q.Leika}); !errors.Is(err, neighbour.ErrArea) {
		t.Errorf("a hub seals an answer for a place of others: %v", err)
	}
}

// TestList also measures: what a member holds of other Landkreise.
func TestList(t *testing.T) {
	own := federation.EntityID("https://portal.osnabrueck.example")
	var all []neighbour.Neighbour
	for i := range 400 {
		n := vechta(t)
		n.ID = federation.EntityID(fmt.Sprintf("https://portal.kreis%03d.example", i))
		n.Scope = federation.Scope{Subtree: []region.Area{area(fmt.Sprintf("%02d%03d", 1+i/100, i%100+100))}}
		n.Keys = key(t, fmt.Sprint("kreis", i)).Public()
		all = append(all, n)
	}
	compact, err := neighbour.SealList(key(t, "own"), own, all, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d neighbours: %d bytes, %d each", len(all), len(compact), len(compact)/len(all))
	if len(compact)/len(all) > 700 {
		t.Errorf("%d bytes for each neighbour", len(compact)/len(all))
	}
	l, err := neighbour.OpenList(compact, own, key(t, "own").Public())
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := l.Of(area("02123").Truncate(5)); !ok || n.ID != "https://portal.kreis123.example" {
		t.Errorf("%v %v", n.ID, ok)
	}
	if _, ok := l.Of(area("02")); ok || l.Expired(now.Add(time.Hour)) || !l.Expired(now.Add(25*time.Hour)) {
		t.Error("a Land belongs to a Landkreis, or the times are wrong")
	}
	if _, err := neighbour.OpenList(compact, own, key(t, "forger").Public()); !errors.Is(err, neighbour.ErrSeal) {
		t.Errorf("list with a wrong seal: %v", err)
	}
	if _, err := neighbour.OpenList(compact, hubB, key(t, "own").Public()); !errors.Is(err, neighbour.ErrShape) {
		t.Errorf("list of somebody else: %v", err)
	}
	twice := []neighbour.Neighbour{all[0], all[1]}
	twice[1].Scope = federation.Scope{Subtree: []region.Area{area("011000001001")}}
	if _, err := neighbour.SealList(key(t, "own"), own, twice, now); !errors.Is(err, neighbour.ErrShape) {
		t.Errorf("one area claimed by two: %v", err)
	}
}
