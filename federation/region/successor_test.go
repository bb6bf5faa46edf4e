package region

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func edition(date string, lines ...string) *Edition {
	e := &Edition{Date: day(date), Covers: []Area{MustArea("99")}}
	for _, line := range lines { // ars, hectares, name
		f := strings.SplitN(line, " ", 3)
		p := Place{Area: MustArea(f[0]), Official: f[2], Type: Gemeinde}
		for _, c := range f[1] {
			p.Hectares = p.Hectares*10 + int(c-'0')
		}
		p.AGS, _ = p.Area.AGS()
		p.setNames()
		e.Places = append(e.Places, p)
	}
	return e
}

func TestSuccession(t *testing.T) {
	for name, tt := range map[string]struct {
		old, now []string
		key      string
		want     string // evidence and areas
	}{
		"ARS changed, AGS stayed": {
			[]string{"990015001001 100 A"}, []string{"990015002001 100 A"}, "990015001001", "same-ags 990015002001"},
		"taken in": {
			[]string{"990010001001 100 A", "990010002002 500 B"}, []string{"990010002002 600 B"}, "99001001", "extent 990010002002"},
		"merger to a new one": {
			[]string{"990010001001 100 A", "990010002002 500 B"}, []string{"990010003003 601 A-B"}, "A", "extent 990010003003"},
		"two into one of three": {
			[]string{"990010001001 100 A", "990010002002 70 B", "990010003003 500 C", "990010004004 900 D"},
			[]string{"990010003003 670 C", "990010004004 900 D"}, "B", "extent 990010003003"},
		"split": {
			[]string{"990010001001 100 A", "990010002002 500 B", "990010003003 500 C"},
			[]string{"990010002002 540 B", "990010003003 560 C"}, "A", "extent-split 990010002002 990010003003"},
		"two gains fit": {
			[]string{"990010001001 100 A", "990010002002 500 B", "990010003003 500 C"},
			[]string{"990010002002 600 B", "990010003003 600 C"}, "A", ""},
		"two vanished fit one gain": {
			[]string{"990010001001 100 A", "990010004004 100 D", "990010002002 500 B"}, []string{"990010002002 600 B"}, "A", ""},
		"nothing grew": {
			[]string{"990010001001 100 A", "990010002002 500 B"}, []string{"990010002002 500 B"}, "A", ""},
		"no area known": {
			[]string{"990010001001 0 A", "990010002002 500 B"}, []string{"990010002002 500 B"}, "A", ""},
		"other Kreis of the Land": {
			[]string{"990010001001 100 A", "990020002002 500 B"}, []string{"990020002002 600 B"}, "A", "extent 990020002002"},
		"own Kreis before another": {
			[]string{"990010001001 100 A", "990010003003 300 C", "990020002002 500 B"},
			[]string{"990010003003 400 C", "990020002002 600 B"}, "A", "extent 990010003003"},
		"Verband goes with its members": {
			[]string{"990015001 0 V", "990015001001 100 A", "990015001002 100 B"},
			[]string{"990015002 0 W", "990015002001 100 A", "990015002002 100 B"}, "990015001", "members 990015002"},
		"Verband falls apart": {
			[]string{"990015001 0 V", "990015001001 100 A", "990015001002 100 B"},
			[]string{"990015002 0 W", "990015002001 100 A", "990010002002 100 B"}, "990015001", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewRegister(edition("2025-01-01", tt.now...), edition("2024-01-01", tt.old...)) // order does not matter
			l := r.Lookup(tt.key, noDate)
			if len(l.Succession) != 1 || !l.Known() {
				t.Fatalf("Lookup(%q) = %+v, want one succession", tt.key, l)
			}
			s := l.Succession[0]
			got := strings.TrimSpace(string(s.Evidence) + " " + strings.Join(areasOf(s.New), " "))
			if got != tt.want || !s.After.Equal(day("2024-01-01")) || !s.Before.Equal(day("2025-01-01")) {
				t.Errorf("%q between %s and %s, want %q", got, s.After, s.Before, tt.want)
			}
			if !slices.Equal(areasOf(l.Candidates), areasOf(s.New)) {
				t.Errorf("candidates %v", areasOf(l.Candidates))
			}
			for _, n := range s.New {
				if !slices.ContainsFunc(r.Predecessors(n.Area), func(p Succession) bool { return p.Old.Area == s.Old.Area }) {
					t.Errorf("%s does not know its predecessor %s", n.Area, s.Old.Area)
				}
			}
		})
	}
}

func TestSuccessionAtADate(t *testing.T) {
	r := NewRegister(edition("2024-01-01", "990010001001 100 A", "990010002002 500 B"), edition("2025-01-01", "990010002002 600 B"))
	for date, want := range map[string]string{
		"2023-06-01": "990010001001", "2024-01-01": "990010001001", "2024-01-02": "990010002002", "2026-01-01": "990010002002",
	} {
		l := r.Lookup("99001001", day(date))
		if p, ok := l.One(); !ok || p.Area.String() != want || (len(l.Succession) == 0) != (want == "990010001001") {
			t.Errorf("%s: %v with %d successions, want %s", date, p.Area, len(l.Succession), want)
		}
	}
	if p, _ := r.Place(MustArea("990010002002")); !p.FirstSeen.Equal(day("2024-01-01")) || !p.LastSeen.Equal(day("2025-01-01")) {
		t.Errorf("B seen from %s to %s", p.FirstSeen, p.LastSeen)
	}
}

func TestSuccessionOverThreeEditions(t *testing.T) {
	r := NewRegister(
		edition("2023-01-01", "990010001001 100 A", "990010002002 500 B", "990010003003 900 C"),
		edition("2024-01-01", "990010002002 600 B", "990010003003 900 C"),
		edition("2025-01-01", "990010003003 1500 C"),
	)
	for _, name := range []string{"A", "B"} {
		if p, ok := r.Lookup(name, noDate).One(); !ok || p.Name != "C" {
			t.Errorf("%s leads to %v", name, p)
		}
	}
	if n := len(r.Predecessors(MustArea("990010003003"))); n != 2 {
		t.Errorf("C has %d predecessors", n)
	}
}

// A place that comes back is current again.
func TestSuccessionUndone(t *testing.T) {
	r := NewRegister(
		edition("2023-01-01", "990010001001 100 A", "990010002002 500 B"),
		edition("2024-01-01", "990010002002 600 B"),
		edition("2025-01-01", "990010001001 100 A", "990010002002 500 B"),
	)
	l := r.Lookup("A", noDate)
	if p, ok := l.One(); !ok || p.Name != "A" || l.Succession != nil {
		t.Errorf("%+v", l)
	}
}

// What an edition does not cover has not vanished in it.
func TestSuccessionOnlyWithinCover(t *testing.T) {
	old := edition("2023-01-01", "980010001001 100 A", "990010002002 500 B")
	r := NewRegister(old, edition("2024-01-01", "990010002002 500 B"))
	if l := r.Lookup("A", noDate); len(l.Candidates) != 1 || l.Succession != nil {
		t.Errorf("%+v", l)
	}
}

func TestFormerName(t *testing.T) {
	r := NewRegister(edition("2023-01-01", "990010001001 100 Altdorf"), edition("2024-01-01", "990010001001 100 Neudorf"))
	for _, name := range []string{"Altdorf", "Neudorf"} {
		if p, ok := r.Lookup(name, noDate).One(); !ok || p.Official != "Neudorf" {
			t.Errorf("%s: %v, %v", name, p, ok)
		}
	}
}

// The name of a vanished place must not hide one that exists.
func TestCurrentHidesVanished(t *testing.T) {
	r := NewRegister(edition("2023-01-01", "990010001001 100 Neu", "990010002002 500 B"), edition("2024-01-01", "990010002002 600 B", "990010005005 400 Neu"))
	l := r.Lookup("Neu", noDate)
	if p, ok := l.One(); !ok || p.Area != MustArea("990010005005") || l.Succession != nil {
		t.Errorf("%+v", l)
	}
}

func TestGermanSuccession(t *testing.T) {
	r := germany(t, file2023, file2025)
	vanished, known, ars := 0, 0, 0
	for i := range r.past {
		p := &r.past[i]
		l := r.Lookup(p.Area.String(), noDate)
		if len(l.Succession) != 1 {
			t.Fatalf("%s %s: %d successions", p.Area, p.Official, len(l.Succession))
		}
		s := l.Succession[0]
		switch {
		case !p.Area.IsGemeinde():
		case s.Evidence == SameAGS:
			ars++
			if l := r.Lookup(p.AGS.String(), noDate); len(l.Candidates) != 1 || l.Succession != nil {
				t.Errorf("the AGS %s has not changed: %+v", p.AGS, l)
			}
		default:
			vanished++
			if s.Evidence != NotKnown {
				known++
			}
		}
	}
	if vanished != 32 || ars != 5 || known != 32 {
		t.Errorf("%d vanished, %d of them with successor, %d with another ARS; want 32, 32, 5", vanished, known, ars)
	}
	for key, want := range map[string]string{
		"07232503": "072325005503", "07232089": "072325005503", "16061097": "160615051119", "16061049": "160610045045",
		"16076004": "160760094094", "16063037": "160640074074", "16064055": "160610118118 160640046046", "13071017": "130715163006",
		"160615012002": "160615051002", "160615012": "160615051", "160645054": "", "Berga/Elster": "160760094094", "Hallungen": "160640074074",
	} {
		l := r.Lookup(key, noDate)
		if got := strings.Join(areasOf(l.Candidates), " "); !l.Known() || !sameWords(got, want) {
			t.Errorf("Lookup(%q) = %q, want %q", key, got, want)
		}
	}
	if got := r.Predecessors(MustArea("072325005503")); len(got) != 2 {
		t.Errorf("Obergeckler has %d predecessors", len(got))
	}
	if p, ok := r.Lookup("07232089", day("2023-06-01")).One(); !ok || p.Name != "Niedergeckler" {
		t.Errorf("Niedergeckler in 2023: %v", p)
	}
}
