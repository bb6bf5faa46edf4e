package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// The test network: the Landkreis 03459 with two Gemeinden, a Samtgemeinde
// with two Mitgliedsgemeinden, a große selbständige Stadt, a utility, a
// kreisfreie Stadt beside it and the Land above it.
const (
	kreis      = "03459"
	gemA       = "034590012012" // Gemeinde A
	gemB       = "034590024024" // Gemeinde B, große selbständige Stadt
	sg         = "034595402"    // Samtgemeinde
	sg1        = "034595402001"
	sg2        = "034595402002"
	frei       = "034040000000" // kreisfreie Stadt
	fremd      = "053150000000" // outside the network
	neueste    = "2026-11-22"
	keyDetail  = "99036026017001"
	keyVerb    = "99036026017000"
	keyObject  = "99036026000000"
	keyOther   = "99102013104000"
	keyNobody  = "99089016008000"
	keyUtility = "99154078000000"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func id(name string) federation.EntityID {
	return federation.EntityID("https://" + name + ".example")
}

func testMember(name string) federation.Member {
	m := federation.Member{ID: id(name), Name: "Name " + name, ShortName: name, Kind: federation.KindGemeinde}
	seat := map[string]string{"a": gemA, "b": gemB, "sg": sg, "kreis": kreis, "land": "03", "frei": frei}[name]
	m.Seat = region.MustArea(seat)
	m.Scope.Subtree = []region.Area{m.Seat}
	switch name {
	case "kreis":
		m.Kind = federation.KindLandkreis
	case "land":
		m.Kind = federation.KindLand
	case "sg":
		m.Kind = federation.KindSamtgemeinde
	case "awigo":
		m.Kind, m.Seat = federation.KindUnternehmen, region.Area{}
		m.Scope = federation.Scope{Subtree: []region.Area{region.MustArea(kreis)}, LeikaPrefixes: []string{"99154", "99102"}}
	}
	return m
}

// parseOffer reads "KEY AREA[-EXCEPT…] [role=03] [from=DATE] [to=DATE]
// [ofrom=DATE] [oto=DATE] [reach] [online]"; KEY may be "own".
func parseOffer(n int, line string) catalog.Offer {
	f := strings.Fields(line)
	o := catalog.Offer{ID: catalog.ID(fmt.Sprintf("X:%03d", n)), Title: catalog.Text{"de": "Leistung " + f[0]}}
	if f[0] != "own" {
		o.Leika = leika.MustParse(f[0])
	}
	var zs []catalog.Zustaendigkeit
	for _, a := range strings.Split(f[1], "+") {
		parts := strings.Split(a, "-")
		z := catalog.Zustaendigkeit{ID: catalog.ID("Z:" + a), Area: region.MustArea(parts[0]), Role: catalog.Zustaendig, Unit: "X:unit"}
		for _, e := range parts[1:] {
			z.Except = append(z.Except, region.MustArea(e))
		}
		zs = append(zs, z)
	}
	for _, opt := range f[2:] {
		k, v, _ := strings.Cut(opt, "=")
		for i := range zs {
			switch k {
			case "role":
				zs[i].Role = catalog.Role(v)
			case "from":
				zs[i].Valid.From = day(v)
			case "to":
				zs[i].Valid.To = day(v)
			case "ofrom":
				o.Valid.From = day(v)
			case "oto":
				o.Valid.To = day(v)
			case "reach":
				o.Reach = catalog.ReachNetwork
			case "online":
				o.Onlinedienste = []catalog.Onlinedienst{{ID: "D:1", URL: "https://x.example/"}}
			}
		}
	}
	o.Zustaendigkeiten = zs
	return o
}

// parseDelegation reads "gives KEY AREA[+AREA] MEMBER [from=] [to=]".
func parseDelegation(n int, line string) catalog.Delegation {
	f := strings.Fields(line)
	g := catalog.Delegation{ID: catalog.ID(fmt.Sprintf("G:%d", n)), Leika: leika.MustParse(f[1]), To: id(f[3])}
	for _, a := range strings.Split(f[2], "+") {
		g.Areas = append(g.Areas, region.MustArea(a))
	}
	for _, opt := range f[4:] {
		k, v, _ := strings.Cut(opt, "=")
		if k == "from" {
			g.Valid.From = day(v)
		} else {
			g.Valid.To = day(v)
		}
	}
	return g
}

// parseNetwork reads one line for each member: "name: offer; offer; gives …";
// "name: -" is a member without copy, "name!" one that is unreachable,
// "name~" one whose copy is stale.
func parseNetwork(text string) []Source {
	var out []Source
	for line := range strings.Lines(strings.TrimSpace(text)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		s := Source{Reachable: true, Serial: 7, Fetched: day("2026-11-20")}
		if strings.HasSuffix(name, "!") {
			s.Reachable = false
		}
		if strings.HasSuffix(name, "~") {
			s.Stale = true
		}
		s.Member = testMember(strings.TrimRight(name, "!~"))
		if strings.TrimSpace(rest) != "-" {
			s.Catalogue = &catalog.Catalogue{Member: s.Member.ID, Serial: 7, Units: []catalog.Unit{{ID: "X:unit", Name: catalog.Text{"de": "Amt"}}}}
			for i, part := range strings.Split(rest, ";") {
				switch part = strings.TrimSpace(part); {
				case part == "":
				case strings.HasPrefix(part, "gives"):
					s.Catalogue.Delegations = append(s.Catalogue.Delegations, parseDelegation(i, part))
				default:
					s.Catalogue.Offers = append(s.Catalogue.Offers, parseOffer(i, part))
				}
			}
		}
		out = append(out, s)
	}
	return out
}

// testRegister knows the areas of the test network and nothing else.
type testRegister struct{}

func (testRegister) Place(a region.Area) (region.Place, bool) {
	known := slices.Contains([]string{kreis, gemA, gemB, sg1, sg2, frei, "03404", fremd, "05315"}, a.String())
	return region.Place{Area: a, Name: a.String()}, known
}

func (testRegister) Name(a region.Area) string { return "Ort " + a.String() }

func newTestDirectory(sources ...Source) *Directory {
	d := New(Config{Register: testRegister{}, Now: func() time.Time { return day(neueste) }})
	d.Replace(sources...)
	return d
}

// summary writes an answer as "reason matched area member[/reason][<via] …".
func summary(a *Answer) string {
	var b strings.Builder
	b.WriteString(string(a.Reason))
	if a.Found() {
		fmt.Fprintf(&b, " %s %s", a.Matched, a.MatchedArea)
	}
	for i := range a.Providers {
		p := &a.Providers[i]
		fmt.Fprintf(&b, " %s", p.Member.ShortName)
		if p.Reason != a.Reason {
			fmt.Fprintf(&b, "/%s", p.Reason)
		}
		if p.Via != "" {
			fmt.Fprintf(&b, "<%s", p.ViaName)
		}
	}
	return b.String()
}

type resolveCase struct {
	name    string
	network string
	key     string
	place   string
	date    string
	want    string
	notice  string // kinds, joined by blanks
}

func TestResolve(t *testing.T) {
	for _, c := range resolveCases() {
		t.Run(c.name, func(t *testing.T) {
			d := newTestDirectory(parseNetwork(c.network)...)
			r := Request{Leika: leika.MustParse(c.key), Place: region.MustArea(c.place)}
			if c.date != "" {
				r.Date = day(c.date)
			}
			a := d.Resolve(r)
			if got := summary(&a); got != c.want {
				t.Errorf("Resolve = %q, want %q", got, c.want)
			}
			var kinds []string
			for _, n := range a.Notices {
				kinds = append(kinds, string(n.Kind))
			}
			if got := strings.Join(kinds, " "); got != c.notice {
				t.Errorf("notices %q, want %q", got, c.notice)
			}
			checkAgreement(t, d, r, &a)
		})
	}
}

// checkAgreement holds Lookup, Explain, Appears and Coverage to Resolve.
func checkAgreement(t *testing.T, d *Directory, r Request, a *Answer) {
	t.Helper()
	m := d.Lookup(r.Leika, r.Place, r.Date)
	if !unknownPlace(d.register, r.Place) && !(a.Reason == Unknown && a.Outside) && m.Reason != a.Reason {
		t.Errorf("Lookup says %q, Resolve %q", m.Reason, a.Reason)
	}
	if a.Found() && (m.Matched != a.Matched || m.Area != a.MatchedArea || m.Member() != a.First().Member.ID || m.Ref().ID != a.First().Offer.ID) {
		t.Errorf("Lookup = %+v, Resolve = %s", m, summary(a))
	}
	e := d.Explain(r)
	if summary(&e.Answer) != summary(a) || len(e.Steps) < 2 || e.Steps[len(e.Steps)-1].Rule != RuleAnswer {
		t.Errorf("Explain disagrees: %s, %d steps", summary(&e.Answer), len(e.Steps))
	}
	for i := range a.Providers {
		p := &a.Providers[i]
		if p.Offer.Leika != r.Leika {
			continue
		}
		if x := d.Appears(OfferRef{p.Member.ID, p.Offer.ID}, r.Place, r.Date); !x.Shown {
			t.Errorf("%s is responsible but does not appear: %+v", p.Member.ShortName, x.Steps)
		}
	}
}

func resolveCases() []resolveCase {
	const v = keyVerb
	return []resolveCase{
		// One rule at a time: the area.
		{"own Gemeinde", "a: " + v + " " + gemA, v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"Kreis for a Gemeinde", "kreis: " + v + " " + kreis, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"Land for a Gemeinde", "land: " + v + " 03", v, gemA, "", "parent " + v + " 03 land", ""},
		{"Gemeinde before Kreis", "a: " + v + " " + gemA + "\nkreis: " + v + " " + kreis, v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"Kreis where the other Gemeinde has none", "a: " + v + " " + gemA + "\nkreis: " + v + " " + kreis, v, gemB, "", "parent " + v + " " + kreis + " kreis", ""},
		{"Kreis before Land", "kreis: " + v + " " + kreis + "\nland: " + v + " 03", v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"Gemeinde claims its 9 digits", "a: " + v + " 034590012", v, gemA, "", "none", ""},
		{"nobody", "a: " + v + " " + gemA, keyNobody, gemA, "", "none", ""},
		{"nobody here but the neighbour", "a: " + v + " " + gemA + "\nb: ", v, gemB, "", "none", ""},
		{"Kreis asked itself", "kreis: " + v + " " + kreis, v, kreis, "", "own " + v + " " + kreis + " kreis", ""},
		{"Kreis asked does not look down", "a: " + v + " " + gemA + "\nkreis: ", v, kreis, "", "none", ""},
		{"Land asked itself", "land: " + v + " 03", v, "03", "", "own " + v + " 03 land", ""},

		// Samtgemeinde: reachable only through the table, never by AGS.
		{"Samtgemeinde for its member", "sg: " + v + " " + sg, v, sg1, "", "parent " + v + " " + sg + " sg", ""},
		{"Samtgemeinde for the other member", "sg: " + v + " " + sg, v, sg2, "", "parent " + v + " " + sg + " sg", ""},
		{"Samtgemeinde asked itself", "sg: " + v + " " + sg, v, sg, "", "own " + v + " " + sg + " sg", ""},
		{"Samtgemeinde before Kreis", "sg: " + v + " " + sg + "\nkreis: " + v + " " + kreis, v, sg1, "", "parent " + v + " " + sg + " sg", ""},
		{"Samtgemeinde not outside", "sg: " + v + " " + sg + "\nkreis: " + v + " " + kreis, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"Samtgemeinde claims one member only", "sg: " + v + " " + sg1, v, sg1, "", "parent " + v + " " + sg1 + " sg", ""},
		{"Samtgemeinde claims one member, other asked", "sg: " + v + " " + sg1, v, sg2, "", "none", ""},

		// Kreisfreie Stadt and große selbständige Stadt.
		{"kreisfreie Stadt", "frei: " + v + " " + frei, v, frei, "", "own " + v + " " + frei + " frei", ""},
		{"kreisfreie Stadt asked as Kreis", "frei: " + v + " " + frei, v, "03404", "", "none", ""},
		{"kreisfreie Stadt is not in the Kreis", "kreis: " + v + " " + kreis + "\nfrei: ", v, frei, "", "none", ""},
		{"große selbständige Stadt beside Kreis", "b: " + v + " " + gemB + "\nkreis: " + v + " " + kreis + "-" + gemB, v, gemB, "", "own " + v + " " + gemB + " b", ""},
		{"Kreis excepts the große selbständige Stadt", "b: \nkreis: " + v + " " + kreis + "-" + gemB, v, gemB, "", "none", ""},
		{"exception elsewhere does not matter", "kreis: " + v + " " + kreis + "-" + gemB, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"exception of a Samtgemeinde holds for members", "kreis: " + v + " " + kreis + "-" + sg, v, sg2, "", "none", ""},
		{"exception of a member not for the Samtgemeinde", "kreis: " + v + " " + kreis + "-" + sg1, v, sg, "", "parent " + v + " " + kreis + " kreis", ""},
		{"two exceptions", "kreis: " + v + " " + kreis + "-" + gemA + "-" + gemB, v, gemB, "", "none", ""},
		{"exception, then Land", "kreis: " + v + " " + kreis + "-" + gemB + "\nland: " + v + " 03", v, gemB, "", "parent " + v + " 03 land", ""},

		// Utility.
		{"utility for the whole Kreis", "awigo: " + keyUtility + " " + kreis, keyUtility, gemA, "", "whole-area " + keyUtility + " " + kreis + " awigo", ""},
		{"utility for a Mitgliedsgemeinde", "awigo: " + keyUtility + " " + kreis, keyUtility, sg1, "", "whole-area " + keyUtility + " " + kreis + " awigo", ""},
		{"utility for a set of areas", "awigo: " + keyUtility + " " + gemA + "+" + sg, keyUtility, sg2, "", "whole-area " + keyUtility + " " + sg + " awigo", ""},
		{"utility not outside its set", "awigo: " + keyUtility + " " + gemA + "+" + sg, keyUtility, gemB, "", "none", ""},
		{"utility with a foreign key", "awigo: " + v + " " + kreis, v, gemA, "", "none", ""},
		{"Gemeinde before utility", "awigo: " + keyUtility + " " + kreis + "\na: " + keyUtility + " " + gemA, keyUtility, gemA, "", "own " + keyUtility + " " + gemA + " a", ""},
		{"utility and Kreis at one level", "awigo: " + keyUtility + " " + kreis + "\nkreis: " + keyUtility + " " + kreis, keyUtility, gemA, "", "conflict " + keyUtility + " " + kreis + " awigo/whole-area kreis/parent", ""},

		// The ladder of keys.
		{"without detail", "a: " + v + " " + gemA, keyDetail, gemA, "", "own " + v + " " + gemA + " a", "broader-key"},
		{"object", "a: " + keyObject + " " + gemA, keyDetail, gemA, "", "own " + keyObject + " " + gemA + " a", "broader-key"},
		{"object for Verrichtung", "a: " + keyObject + " " + gemA, v, gemA, "", "own " + keyObject + " " + gemA + " a", "broader-key"},
		{"exact at the Kreis before broader at the Gemeinde", "a: " + v + " " + gemA + "\nkreis: " + keyDetail + " " + kreis, keyDetail, gemA, "", "parent " + keyDetail + " " + kreis + " kreis", ""},
		{"exact at the Land before object at the Gemeinde", "a: " + keyObject + " " + gemA + "\nland: " + keyDetail + " 03", keyDetail, gemA, "", "parent " + keyDetail + " 03 land", ""},
		{"without detail at the Land before object at the Gemeinde", "a: " + keyObject + " " + gemA + "\nland: " + v + " 03", keyDetail, gemA, "", "parent " + v + " 03 land", "broader-key"},
		{"never narrower", "a: " + keyDetail + " " + gemA, v, gemA, "", "none", ""},
		{"never narrower than the object", "a: " + v + " " + gemA, keyObject, gemA, "", "none", ""},
		{"never a sibling", "a: 99036026018000 " + gemA, v, gemA, "", "none", ""},
		{"exact excepted, broader answers", "kreis: " + v + " " + kreis + "-" + gemA + "; " + keyObject + " " + kreis, v, gemA, "", "parent " + keyObject + " " + kreis + " kreis", "broader-key"},

		// Roles.
		{"role 02 is responsible", "a: " + v + " " + gemA + " role=02", v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"role 03 is not", "a: " + v + " " + gemA + " role=03", v, gemA, "", "none", ""},
		{"role 03 does not hide the Kreis", "a: " + v + " " + gemA + " role=03\nkreis: " + v + " " + kreis, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"unknown role is not", "a: " + v + " " + gemA + " role=99", v, gemA, "", "none", ""},

		// Scope.
		{"outside the scope", "a: " + v + " " + gemB + "\nb: ", v, gemB, "", "none", ""},
		{"wider than the scope", "a: " + v + " " + kreis, v, gemA, "", "none", ""},
		{"foreign claim does not make a conflict", "a: " + v + " " + gemB + "\nb: " + v + " " + gemB, v, gemB, "", "own " + v + " " + gemB + " b", ""},

		// Validity.
		{"not yet", "a: " + v + " " + gemA + " from=2027-01-01", v, gemA, "", "none", ""},
		{"first day", "a: " + v + " " + gemA + " from=2026-11-22", v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"last day is over", "a: " + v + " " + gemA + " to=2026-11-22", v, gemA, "", "none", ""},
		{"last day", "a: " + v + " " + gemA + " to=2026-11-23", v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"asked for a later date", "a: " + v + " " + gemA + " from=2027-01-01", v, gemA, "2027-01-01", "own " + v + " " + gemA + " a", ""},
		{"asked for an earlier date", "a: " + v + " " + gemA + " to=2026-01-01", v, gemA, "2025-12-31", "own " + v + " " + gemA + " a", ""},
		{"expired Gemeinde, then Kreis", "a: " + v + " " + gemA + " to=2026-01-01\nkreis: " + v + " " + kreis, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"change on a date, before", "a: " + v + " " + gemA + " from=2027-01-01\nkreis: " + v + " " + kreis, v, gemA, "2026-12-31", "parent " + v + " " + kreis + " kreis", ""},
		{"change on a date, after", "a: " + v + " " + gemA + " from=2027-01-01\nkreis: " + v + " " + kreis, v, gemA, "2027-01-01", "own " + v + " " + gemA + " a", ""},
		{"offer expired though the claim is not", "a: " + v + " " + gemA + " oto=2026-06-01", v, gemA, "", "none", ""},
		{"offer and claim overlap", "a: " + v + " " + gemA + " ofrom=2026-01-01 oto=2027-01-01 from=2026-06-01", v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"offer and claim do not overlap", "a: " + v + " " + gemA + " oto=2026-06-01 from=2026-06-01", v, gemA, "2026-06-01", "none", ""},

		// Delegation.
		{"Kreis to Gemeinde in its own area", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemB + " b\nb: " + v + " " + gemB, v, gemB, "", "delegated " + v + " " + gemB + " b<kreis", ""},
		{"Kreis to Gemeinde in a foreign area", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b\nb: " + v + " " + gemA, v, gemA, "", "delegated " + v + " " + gemA + " b<kreis", ""},
		{"foreign area, third place stays with the Kreis", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b\nb: " + v + " " + gemA, v, sg1, "", "parent " + v + " " + kreis + " kreis", ""},
		{"receiver claims nothing", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemB + " b\nb: ", v, gemB, "", "parent " + v + " " + kreis + " kreis", "unclaimed-delegation"},
		{"receiver is not a member", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemB + " x", v, gemB, "", "parent " + v + " " + kreis + " kreis", "unclaimed-delegation"},
		{"another key is not given", "kreis: " + v + " " + kreis + "; gives " + keyOther + " " + gemA + " b\nb: " + v + " " + gemA, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"whole Kreis to a utility", "kreis: " + keyUtility + " " + kreis + "; gives " + keyUtility + " " + kreis + " awigo\nawigo: " + keyUtility + " " + kreis, keyUtility, gemA, "", "delegated " + keyUtility + " " + kreis + " awigo<kreis", ""},
		{"a key outside the utility's scope", "kreis: " + v + " " + kreis + "; gives " + v + " " + kreis + " awigo\nawigo: " + v + " " + kreis, v, gemA, "", "delegated " + v + " " + kreis + " awigo<kreis", ""},
		{"Gemeinde upwards to the Kreis", "a: " + v + " " + gemA + "; gives " + v + " " + gemA + " kreis\nkreis: " + v + " " + kreis, v, gemA, "", "delegated " + v + " " + kreis + " kreis<a", ""},
		{"nobody gives what is not his", "a: gives " + v + " " + gemB + " a\nb: " + v + " " + gemB + "; gives " + v + " " + gemA + " b\nkreis: ", v, gemA, "", "none", ""},
		{"foreign giver has no effect", "a: gives " + v + " " + gemB + " frei\nfrei: " + v + " " + gemB + "\nb: ", v, gemB, "", "none", ""},
		{"delegation not yet", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b from=2027-01-01\nb: " + v + " " + gemA, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"delegation begins", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b from=2027-01-01\nb: " + v + " " + gemA, v, gemA, "2027-01-01", "delegated " + v + " " + gemA + " b<kreis", ""},
		{"delegation over", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b to=2026-01-01\nb: " + v + " " + gemA, v, gemA, "", "parent " + v + " " + kreis + " kreis", ""},
		{"delegation for the Samtgemeinde holds for members", "kreis: " + v + " " + kreis + "; gives " + v + " " + sg + " sg\nsg: " + v + " " + sg, v, sg2, "", "delegated " + v + " " + sg + " sg<kreis", ""},
		{"two receivers are a conflict", "kreis: " + v + " " + kreis + "; gives " + v + " " + gemA + " b; gives " + v + " " + gemA + " frei\nb: " + v + " " + gemA + "\nfrei: " + v + " " + gemA, v, gemA, "", "conflict " + v + " " + gemA + " b/delegated<kreis frei/delegated<kreis", ""},
		{"a circle is a conflict", "kreis: " + keyUtility + " " + kreis + "; gives " + keyUtility + " " + kreis + " awigo\nawigo: " + keyUtility + " " + kreis + "; gives " + keyUtility + " " + kreis + " kreis", keyUtility, gemA, "", "conflict " + keyUtility + " " + kreis + " awigo/delegated<kreis kreis/delegated<awigo", ""},
		{"a chain ends at its end", "kreis: " + keyUtility + " " + kreis + "; gives " + keyUtility + " " + kreis + " awigo\nawigo: " + keyUtility + " " + kreis + "; gives " + keyUtility + " " + gemB + " b\nb: " + keyUtility + " " + gemB, keyUtility, gemB, "", "delegated " + keyUtility + " " + gemB + " b<awigo", ""},

		// Conflict.
		{"two at one level", "a: " + v + " " + gemA + "\nkreis: " + v + " " + gemA, v, gemA, "", "conflict " + v + " " + gemA + " a/own kreis/parent", ""},
		{"two at the Kreis, Gemeinde settles it", "a: " + keyUtility + " " + gemA + "\nkreis: " + keyUtility + " " + kreis + "\nawigo: " + keyUtility + " " + kreis, keyUtility, gemA, "", "own " + keyUtility + " " + gemA + " a", ""},
		{"exception settles a conflict", "kreis: " + keyUtility + " " + kreis + "-" + gemA + "\nawigo: " + keyUtility + " " + kreis, keyUtility, gemA, "", "whole-area " + keyUtility + " " + kreis + " awigo", ""},
		{"date settles a conflict", "kreis: " + keyUtility + " " + kreis + " to=2026-06-01\nawigo: " + keyUtility + " " + kreis, keyUtility, gemA, "", "whole-area " + keyUtility + " " + kreis + " awigo", ""},
		{"two offers of one member are no conflict", "a: " + v + " " + gemA + "; " + v + " " + gemA, v, gemA, "", "own " + v + " " + gemA + " a a", ""},
		{"two at the object's key", "kreis: " + keyObject + " " + kreis + "\nsg: \na: " + keyObject + " " + gemA + "\nland: " + keyObject + " " + gemA, keyDetail, gemA, "", "conflict " + keyObject + " " + gemA + " a/own land/parent", "broader-key"},

		// Members that were never heard, cannot be reached, or are old.
		{"no copy of the Gemeinde", "a: -", v, gemA, "", "unknown", "no-copy"},
		{"no copy of the Kreis", "kreis: -\na: ", v, gemA, "", "unknown", "no-copy"},
		{"no copy of a neighbour does not matter", "b: -\na: ", v, gemA, "", "none", ""},
		{"no copy of the Gemeinde, Kreis answers", "a: -\nkreis: " + v + " " + kreis, v, gemA, "", "parent " + v + " " + kreis + " kreis", "no-copy"},
		{"no copy of the Kreis, Gemeinde answers", "kreis: -\na: " + v + " " + gemA, v, gemA, "", "own " + v + " " + gemA + " a", ""},
		{"no copy of a utility for another key", "awigo: -\na: ", v, gemA, "", "none", ""},
		{"no copy of a utility for its key", "awigo: -\na: ", keyUtility, gemA, "", "unknown", "no-copy"},
		{"unreachable with copy", "a!: " + v + " " + gemA, v, gemA, "", "own " + v + " " + gemA + " a", "unreachable"},
		{"stale", "a~: " + v + " " + gemA, v, gemA, "", "own " + v + " " + gemA + " a", "stale"},
		{"unreachable with copy claims nothing", "a!: ", v, gemA, "", "none", ""},

		// Places.
		{"place outside the network", "a: " + v + " " + gemA, v, fremd, "", "unknown", "outside"},
		{"place that does not exist", "a: " + v + " " + gemA, v, "034599999999", "", "unknown", "unknown-place"},
		{"place without own node", "kreis: " + v + " " + kreis, v, gemB, "", "parent " + v + " " + kreis + " kreis", ""},
	}
}
