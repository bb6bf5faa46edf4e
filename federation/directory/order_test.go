package directory

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"

	"pgregory.net/rapid"
)

// randomNetwork draws a network in the language of parseNetwork in which
// every rule can meet every other.
func randomNetwork(t *rapid.T) string {
	keys := []string{keyDetail, keyVerb, keyObject, keyUtility, "own"}
	areas := []string{"03", kreis, gemA, gemB, sg, sg1, sg2, frei}
	names := []string{"a", "b", "sg", "kreis", "land", "frei", "awigo"}
	var b strings.Builder
	for _, name := range names {
		if rapid.IntRange(0, 9).Draw(t, "member") == 0 {
			continue
		}
		b.WriteString(name)
		b.WriteString(rapid.SampledFrom([]string{"", "", "", "!", "~"}).Draw(t, "state"))
		if rapid.IntRange(0, 9).Draw(t, "copy") == 0 {
			b.WriteString(": -\n")
			continue
		}
		b.WriteString(": ")
		for range rapid.IntRange(0, 5).Draw(t, "offers") {
			area := rapid.SampledFrom(areas).Draw(t, "area")
			if rapid.IntRange(0, 4).Draw(t, "gives") == 0 {
				fmt.Fprintf(&b, "gives %s %s %s; ", rapid.SampledFrom(keys[:4]).Draw(t, "key"), area, rapid.SampledFrom(names).Draw(t, "to"))
				continue
			}
			fmt.Fprintf(&b, "%s %s", rapid.SampledFrom(keys).Draw(t, "key"), area)
			if x := rapid.SampledFrom(areas).Draw(t, "except"); rapid.Bool().Draw(t, "excepts") {
				b.WriteString("-" + x)
			}
			b.WriteString(rapid.SampledFrom([]string{"", "", "", " role=03", " to=2026-06-01", " from=2027-01-01", " reach", " online"}).Draw(t, "option"))
			b.WriteString("; ")
		}
		b.WriteString("\n")
	}
	return b.String()
}

// observe asks everything that can be asked.
func observe(d *Directory) []any {
	var out []any
	places := []region.Area{region.MustArea(gemA), region.MustArea(gemB), region.MustArea(sg1), region.MustArea(sg), region.MustArea(kreis), {}}
	for _, key := range []string{keyDetail, keyVerb, keyObject, keyUtility, keyNobody} {
		for _, place := range places {
			for _, date := range []string{neueste, "2027-06-01"} {
				a := d.Resolve(Request{Leika: leika.MustParse(key), Place: place, Date: day(date)})
				a.Version = 0
				out = append(out, a)
			}
		}
	}
	for _, place := range places {
		for _, text := range []string{"leistung", "Leistung own", "99036026017000", ""} {
			r := d.Search(Query{Text: text, Place: place, Lebenslage: map[bool]string{true: "auto-und-verkehr"}[text == ""]})
			r.Version = 0
			out = append(out, r)
		}
		for _, a := range d.Authorities(region.Area{}) {
			r := d.Search(Query{Text: "leistung " + a.Member.Name, Place: place})
			r.Version = 0
			out = append(out, r)
		}
		out = append(out, d.Suggest("lei", place, "de", 5), d.AZ(place, "de"), d.Lebenslagen(place, "de"), d.Authorities(place))
	}
	m := d.Coverage(nil, places, day(neueste))
	m.Version = 0
	return append(out, m, d.Conflicts(day(neueste)), d.Gaps(places, day(neueste)), d.Keys(), d.ETag())
}

// TestArrivalOrder: in whatever order catalogues arrive, one by one or at
// once, after others that were replaced or removed, the answers are the same
// [DESIGN §4.4].
func TestArrivalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		network := randomNetwork(t)
		want := observe(newTestDirectory(parseNetwork(network)...))
		sources := parseNetwork(network)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
		d := newTestDirectory()
		d.text.most = rapid.SampledFrom([]int{1, 10, maxWords}).Draw(t, "most words")
		for _, s := range parseNetwork(randomNetwork(t)) { // an earlier life
			d.Replace(s)
		}
		keep := map[federation.EntityID]bool{}
		for _, s := range sources {
			d.Replace(s)
			keep[s.Member.ID] = true
		}
		for _, a := range d.Authorities(region.Area{}) {
			if !keep[a.Member.ID] {
				d.Remove(a.Member.ID)
			}
		}
		t.Logf("network\n%s", network)
		compare(t, observe(d), want)
	})
}

func compare(t interface{ Fatalf(string, ...any) }, got, want []any) {
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("observation %d differs\ngot  %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

// TestAgreement: Lookup, Explain, Appears and Resolve say the same about
// networks nobody has thought of.
func TestAgreement(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := newTestDirectory(parseNetwork(randomNetwork(rt))...)
		for _, key := range []string{keyDetail, keyVerb, keyObject, keyUtility} {
			for _, place := range []string{gemA, gemB, sg1, sg, kreis} {
				r := Request{Leika: leika.MustParse(key), Place: region.MustArea(place), Date: day(neueste)}
				a := d.Resolve(r)
				checkAgreement(t, d, r, &a)
				if t.Failed() {
					rt.Fatalf("%s at %s", key, place)
				}
			}
		}
	})
}

// TestScopeIsNeverLeft: no answer and no hit names a member outside its
// granted scope, unless it was delegated there [DESIGN §8].
func TestScopeIsNeverLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newTestDirectory(parseNetwork(randomNetwork(t))...)
		for _, place := range []string{gemA, gemB, sg1, sg, kreis} {
			at := region.MustArea(place)
			for _, h := range d.Search(Query{Text: "leistung", Place: at, Limit: MaxLimit}).Hits {
				p := h.Provider
				if p.Via == "" && !p.Neighbour && !p.Member.Scope.CoversArea(p.Zustaendigkeit.Area) {
					t.Fatalf("%s shows %s at %s", p.Member.ID, p.Offer.ID, place)
				}
			}
		}
	})
}

func TestReplaceKeepsLastOfEach(t *testing.T) {
	first := parseNetwork("a: " + keyVerb + " " + gemA)
	second := parseNetwork("a: " + keyOther + " " + gemA)
	d := newTestDirectory(first[0], second[0])
	if got := d.Keys(); !slices.Equal(got, []leika.ID{leika.MustParse(keyOther)}) {
		t.Errorf("Keys = %v", got)
	}
}

func TestETag(t *testing.T) {
	network := "a: " + keyVerb + " " + gemA + "\nkreis: " + keyVerb + " " + kreis
	d, e := newTestDirectory(parseNetwork(network)...), newTestDirectory()
	for _, s := range parseNetwork(network) {
		e.Replace(s)
	}
	if d.ETag() != e.ETag() {
		t.Error("the same content has two tags")
	}
	before, version := d.ETag(), d.Version()
	d.SetReachable(id("a"), false)
	if d.ETag() == before || d.Version() <= version {
		t.Error("an unreachable member did not change the tag")
	}
	d.SetReachable(id("a"), true)
	if d.ETag() != before {
		t.Error("the tag did not come back")
	}
	d.Remove(id("nobody"))
	d.Remove(id("a"))
	if d.ETag() == before {
		t.Error("a removed member did not change the tag")
	}
}
