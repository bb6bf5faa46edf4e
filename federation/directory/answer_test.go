package directory

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

func ask(d *Directory, key, place string) Answer {
	return d.Resolve(Request{Leika: leika.MustParse(key), Place: region.MustArea(place)})
}

func TestSuccessor(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA)...)
	old := region.MustArea("034590099099")
	a := d.Resolve(Request{Leika: leika.MustParse(keyVerb), Place: region.MustArea(gemA), Outdated: old})
	if a.Reason != Successor || a.First().Reason != Own || a.Notices[0].Kind != NoticeSuccessor || a.Notices[0].Area != old {
		t.Errorf("%s, notices %+v", summary(&a), a.Notices)
	}
	a = d.Resolve(Request{Leika: leika.MustParse(keyNobody), Place: region.MustArea(gemA), Outdated: old})
	if a.Reason != None {
		t.Errorf("a successor without an answer says %q", a.Reason)
	}
}

func TestUpcoming(t *testing.T) {
	for _, c := range []struct{ name, network, date, want string }{
		{"nothing", "kreis: " + keyVerb + " " + kreis, "", ""},
		{"Gemeinde takes over", "a: " + keyVerb + " " + gemA + " from=2027-01-01\nkreis: " + keyVerb + " " + kreis, "", "2027-01-01 a/own"},
		{"ends without follower", "a: " + keyVerb + " " + gemA + " to=2027-07-01", "", "2027-07-01"},
		{"begins", "a: " + keyVerb + " " + gemA + " from=2028-01-01", "", "2028-01-01 a/own"},
		{"delegation begins", "kreis: " + keyVerb + " " + kreis + "; gives " + keyVerb + " " + gemB + " a from=2027-03-01\na: " + keyVerb + " " + gemB, "", "2027-03-01 a/delegated"},
		{"a change that changes nobody", "a: " + keyVerb + " " + gemA + " to=2027-01-01; " + keyVerb + " " + gemA + " from=2027-01-01", "", ""},
		{"already past", "a: " + keyVerb + " " + gemA + " from=2027-01-01", "2027-06-01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newTestDirectory(parseNetwork(c.network)...)
			place := gemA
			if strings.Contains(c.name, "delegation") {
				place = gemB
			}
			r := Request{Leika: leika.MustParse(keyVerb), Place: region.MustArea(place)}
			if c.date != "" {
				r.Date = day(c.date)
			}
			got := ""
			if u := d.Resolve(r).Upcoming; u != nil {
				got = u.Date.Format(time.DateOnly)
				for _, p := range u.Providers {
					got += " " + p.Member.ShortName + "/" + string(p.Reason)
				}
			}
			if got != c.want {
				t.Errorf("Upcoming = %q, want %q", got, c.want)
			}
		})
	}
}

func TestContacts(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA + " role=03\nkreis: " + keyVerb + " " + kreis)...)
	a := ask(d, keyVerb, gemA)
	if len(a.Contacts) != 1 || a.Contacts[0].Member.ID != id("a") || a.Contacts[0].Zustaendigkeit.Role != catalog.Ansprechpunkt {
		t.Errorf("Contacts = %+v", a.Contacts)
	}
	if a.First().Member.ID != id("kreis") || a.First().Unit == nil {
		t.Errorf("%s", summary(&a))
	}
}

// TestOfferWithoutKey is DESIGN §4.6: beside the keys, with a reach.
func TestOfferWithoutKey(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: own " + gemA + " reach; own " + gemA + "\nb: \nland: ")...)
	wide, narrow := OfferRef{id("a"), "X:000"}, OfferRef{id("a"), "X:001"}
	for _, c := range []struct {
		ref   OfferRef
		place string
		want  Reason
		neigh bool
	}{
		{wide, gemA, Own, false}, {wide, gemB, WholeArea, true},
		{narrow, gemA, Own, false}, {narrow, gemB, None, false},
		{OfferRef{id("a"), "X:999"}, gemA, None, false},
		{OfferRef{id("nobody"), "X:000"}, gemA, Unknown, false},
	} {
		a := d.Resolve(Request{Offer: c.ref, Place: region.MustArea(c.place)})
		if a.Reason != c.want || (a.Found() && a.First().Neighbour != c.neigh) {
			t.Errorf("%v at %s: %s", c.ref, c.place, summary(&a))
		}
		if x := d.Appears(c.ref, region.MustArea(c.place), time.Time{}); x.Shown != (c.want == Own || c.want == WholeArea) {
			t.Errorf("%v at %s appears: %v, %+v", c.ref, c.place, x.Shown, x.Steps)
		}
	}
	hits := d.Search(Query{Text: "leistung own", Place: region.MustArea(gemB)}).Hits
	if len(hits) != 1 || hits[0].Ref != wide || !hits[0].Provider.Neighbour {
		t.Errorf("hits in the neighbour's place: %+v", hits)
	}
	if r := d.Search(Query{Text: "leistung own", Place: region.MustArea(gemB), OnlyPlace: true}); r.Total != 0 || r.Facets.OnlyPlace != 0 || r.Elsewhere != 2 {
		t.Errorf("only the place: %d hits, %d elsewhere", r.Total, r.Elsewhere)
	}
}

// TestAppears tells an editor the rule that keeps an offer away.
func TestAppears(t *testing.T) {
	for _, c := range []struct {
		name, network, place string
		want                 Rule
	}{
		{"shown", "a: " + keyVerb + " " + gemA, gemA, RuleAnswer},
		{"no copy", "a: -", gemA, RuleCopy},
		{"not in the catalogue", "a: ", gemA, RuleCopy},
		{"role", "a: " + keyVerb + " " + gemA + " role=03", gemA, RuleRole},
		{"other area", "a: " + keyVerb + " " + gemA, gemB, RuleArea},
		{"scope", "a: " + keyVerb + " " + gemB, gemB, RuleScope},
		{"exception", "a: " + keyVerb + " " + gemA + "-" + gemA, gemA, RuleExcept},
		{"validity", "a: " + keyVerb + " " + gemA + " to=2026-01-01", gemA, RuleValid},
		{"delegated away", "a: " + keyVerb + " " + gemA + "; gives " + keyVerb + " " + gemA + " kreis\nkreis: " + keyVerb + " " + kreis, gemA, RuleDelegation},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newTestDirectory(parseNetwork(c.network)...)
			x := d.Appears(OfferRef{id("a"), "X:000"}, region.MustArea(c.place), time.Time{})
			last := x.Steps[len(x.Steps)-1]
			if x.Shown != (c.name == "shown") || last.Rule != c.want || last.Text == "" {
				t.Errorf("shown %v, last step %+v", x.Shown, last)
			}
		})
	}
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA + "\nkreis: " + keyVerb + " " + kreis)...)
	x := d.Appears(OfferRef{id("kreis"), "X:000"}, region.MustArea(gemA), time.Time{})
	if last := x.Steps[len(x.Steps)-1]; x.Shown || last.Rule != RuleSpecific || last.Member != id("a") {
		t.Errorf("a nearer offer: %+v", x.Steps)
	}
}

func TestExplainSteps(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA + "-" + gemA + "\nkreis: " + keyObject + " " + kreis + "\nb: -")...)
	e := d.Explain(Request{Leika: leika.MustParse(keyDetail), Place: region.MustArea(gemA)})
	var got []string
	for _, s := range e.Steps {
		got = append(got, string(s.Rule)+":"+string(s.Verdict))
	}
	want := "place:passed key:fired area:empty key:fired exception:refused area:empty area:empty area:empty area:empty area:empty area:empty " +
		"key:fired area:empty area:empty role:passed area:fired answer:fired"
	if strings.Join(got, " ") != want {
		t.Errorf("steps\n%s, want\n%s", strings.Join(got, " "), want)
	}
}

func TestCoverageConflictsGaps(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA + " online; " + keyOther + " " + gemA +
		"\nb: " + keyOther + " " + gemB + "\nkreis: " + keyVerb + " " + kreis + "; " + keyOther + " " + gemB + "\nsg: -")...)
	places := []region.Area{region.MustArea(gemA), region.MustArea(gemB), region.MustArea(sg1)}
	m := d.Coverage(nil, places, time.Time{})
	var got []string
	for i := range m.Keys {
		for j := range m.Places {
			got = append(got, string(m.Cells[i][j].Sign))
		}
	}
	if want := "online parent parent described conflict unknown"; strings.Join(got, " ") != want {
		t.Errorf("cells %v, want %s", got, want)
	}
	c := d.Conflicts(time.Time{})
	if len(c) != 1 || c[0].Leika != leika.MustParse(keyOther) || c[0].Area != region.MustArea(gemB) || len(c[0].Members) != 2 || c[0].Offers[0] != "X:000" || c[0].Title == "" {
		t.Errorf("Conflicts = %+v", c)
	}
	g := d.Gaps(places, time.Time{})
	if len(g) != 1 || g[0].Offered != 2 || len(g[0].Unknown) != 1 || len(g[0].Places) != 0 {
		t.Errorf("Gaps = %+v", g)
	}
}

func TestAuthoritiesAndOffers(t *testing.T) {
	d := newTestDirectory(parseNetwork("land: \nkreis: " + keyVerb + " " + kreis + " online\na: \nb: \nawigo: \nsg: -")...)
	var got []string
	for _, a := range d.Authorities(region.MustArea(gemA)) {
		got = append(got, a.Member.ShortName)
	}
	if strings.Join(got, " ") != "a kreis land awigo" {
		t.Errorf("Authorities = %v", got)
	}
	if n := len(d.Authorities(region.Area{})); n != 6 {
		t.Errorf("%d members", n)
	}
	if a, ok := d.Authority(id("kreis")); !ok || a.Online != 1 || a.Offers != 1 || !a.HasCopy || len(a.Units) != 1 {
		t.Errorf("Authority = %+v, %v", a, ok)
	}
	if _, ok := d.Authority(id("nobody")); ok {
		t.Error("a stranger is an authority")
	}
	if p, ok := d.Offer(OfferRef{id("kreis"), "X:000"}); !ok || p.Reason != Own || p.Unit == nil || !p.Online() {
		t.Errorf("Offer = %+v, %v", p, ok)
	}
	if _, ok := d.Offer(OfferRef{id("kreis"), "X:404"}); ok {
		t.Error("an offer that is not there")
	}
	if members, offers, leistungen := d.Size(); members != 5 || offers != 1 || leistungen != 1 {
		t.Errorf("Size = %d, %d, %d", members, offers, leistungen)
	}
}

// TestOnDisk: a directory that reads offers again answers like one that keeps
// them, and says who is responsible even where the disk fails.
func TestOnDisk(t *testing.T) {
	network := "a: " + keyVerb + " " + gemA + " online; own " + gemA + "\nkreis: " + keyVerb + " " + kreis
	want := observe(newTestDirectory(parseNetwork(network)...))
	broken := false
	sources := parseNetwork(network)
	for i := range sources {
		offers := sources[i].Catalogue.Offers
		sources[i].Load = func(n int) (*catalog.Offer, error) {
			if broken {
				return nil, errors.New("disk")
			}
			return &offers[n], nil
		}
	}
	d := newTestDirectory(sources...)
	compare(t, observe(d), want)
	broken = true
	a := ask(d, keyVerb, gemA)
	if a.Reason != Own || a.First().Member.ID != id("a") || a.First().Offer == nil {
		t.Errorf("with a broken disk: %s", summary(&a))
	}
	d.Search(Query{Text: "leistung", Place: region.MustArea(gemA)})
	d.AZ(region.MustArea(gemA), "de")
}

// TestConcurrentReaders: readers see the state before or after, never a
// mixture, while members change.
func TestConcurrentReaders(t *testing.T) {
	d := newTestDirectory(parseNetwork("kreis: " + keyVerb + " " + kreis)...)
	on, off := parseNetwork("a: " + keyVerb + " " + gemA)[0], id("a")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a := ask(d, keyVerb, gemA)
				if s := summary(&a); s != "own "+keyVerb+" "+gemA+" a" && s != "parent "+keyVerb+" "+kreis+" kreis" {
					t.Errorf("a mixture: %s", s)
					return
				}
				d.Search(Query{Text: "leistung", Place: region.MustArea(gemA)})
				d.Search(Query{Text: "leistung"})
				d.Suggest("lei", region.MustArea(gemA), "", 3)
			}
		})
	}
	for range 200 {
		d.Replace(on)
		d.SetReachable(off, false)
		d.Remove(off)
	}
	close(stop)
	wg.Wait()
}

// TestSameAgain: what is held already costs nothing, and a new age does not
// rebuild anything.
func TestSameAgain(t *testing.T) {
	sources := parseNetwork("a: " + keyVerb + " " + gemA + "\nb: -")
	d := newTestDirectory(sources...)
	version, tag := d.Version(), d.ETag()
	d.Replace(sources...)
	if d.Version() != version {
		t.Error("the same sources made a new version")
	}
	sources[0].Fetched = sources[0].Fetched.Add(time.Hour)
	d.Replace(sources...)
	if a := ask(d, keyVerb, gemA); !a.First().Fetched.Equal(sources[0].Fetched) || d.Version() == version || d.ETag() != tag {
		t.Errorf("a new age is not shown, or changes the tag: %v", a.First().Fetched)
	}
	sources[0].Member.Scope = federation.Scope{}
	d.Replace(sources...)
	if a := ask(d, keyVerb, gemA); a.Found() {
		t.Error("a narrower scope has no effect")
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	d := newTestDirectory(parseNetwork("a: " + keyVerb + " " + gemA + " from=2026-01-01\nkreis: " + keyVerb + " " + kreis + "\nland: ")...)
	key, a, b := leika.MustParse(keyDetail), region.MustArea(gemA), region.MustArea(gemB)
	if n := testing.AllocsPerRun(100, func() {
		d.Lookup(key, a, time.Time{})
		d.Lookup(key, b, time.Time{})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A planned grant is answered for before it holds: until its day one member is
// responsible, from then on the other, and everybody is told which day that is.
func TestPlannedGrant(t *testing.T) {
	sources := parseNetwork("a: " + keyVerb + " " + gemA + "; " + keyVerb + " " + gemB + "\nb: " + keyVerb + " " + gemB)
	both, newYear := []region.Area{region.MustArea(gemA), region.MustArea(gemB)}, day("2027-01-01")
	for i := range sources {
		m := &sources[i].Member
		switch m.ShortName {
		case "a": // takes over what b had
			m.Scope = federation.Scope{Subtree: both[:1]}
			m.Next = &federation.Planned{From: newYear, Scope: federation.Scope{Subtree: both}}
		case "b":
			m.Scope = federation.Scope{Subtree: both[1:]}
			m.Next = &federation.Planned{From: newYear}
		}
		var lost []catalog.Finding
		if sources[i].Catalogue, lost = catalog.WithinScope(sources[i].Catalogue, *m); len(lost) > 0 {
			t.Fatalf("%+v", lost)
		}
	}
	d := newTestDirectory(sources...)
	r := Request{Leika: leika.MustParse(keyVerb), Place: region.MustArea(gemB)}
	for date, want := range map[string]string{"2026-12-31": "b", "2027-01-01": "a", "2027-06-01": "a"} {
		r.Date = day(date)
		a := d.Resolve(r)
		if len(a.Providers) != 1 || a.Providers[0].Member.ShortName != want {
			t.Errorf("%s: %s, want %s alone", date, summary(&a), want)
		}
		if l := d.Lookup(r.Leika, r.Place, r.Date); l.Members != 1 || l.Member() != id(want) {
			t.Errorf("%s: Lookup says %d, %s", date, l.Members, l.Member())
		}
	}
	r.Date = day("2026-11-22")
	if u := d.Resolve(r).Upcoming; u == nil || !u.Date.Equal(newYear) || len(u.Providers) != 1 || u.Providers[0].Member.ShortName != "a" {
		t.Errorf("upcoming %+v", u)
	}
	if c := d.Conflicts(newYear); len(c) > 0 {
		t.Errorf("%+v", c)
	}
	if m := d.Coverage([]leika.ID{r.Leika}, both, newYear); m.Cells[0][1].Member != id("a") {
		t.Errorf("%+v", m.Cells)
	}
}
