package region

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

func TestParseArea(t *testing.T) {
	for _, s := range []string{"", "03", "034", "03459", "034595402", "034595402001", "000000000000"} {
		a, err := ParseArea(s)
		if err != nil || a.String() != s || a.Len() != len(s) {
			t.Errorf("ParseArea(%q) = %v, %v", s, a, err)
		}
	}
	for name, s := range map[string]string{
		"one digit": "0", "four": "0345", "AGS": "03459012", "eleven": "03459540200", "thirteen": "0345954020010",
		"letter": "0345a", "blank": "03 59", "sign": "+3459", "full-width digit": "０3", "Arabic-Indic": "٠٣٤", "newline": "0345\n",
	} {
		if a, err := ParseArea(s); !errors.Is(err, ErrArea) || a != (Area{}) {
			t.Errorf("%s: ParseArea(%q) = %v, %v", name, s, a, err)
		}
	}
}

func TestAreaParents(t *testing.T) {
	var got []string
	a := MustArea("034595402001")
	for p, ok := a, true; ok; p, ok = p.Parent() {
		got = append(got, p.String())
		if !p.Covers(a) {
			t.Errorf("%q does not cover %s", p, a)
		}
	}
	if want := []string{"034595402001", "034595402", "03459", "034", "03", ""}; !slices.Equal(got, want) {
		t.Errorf("parents %q, want %q", got, want)
	}
}

func TestAreaLevel(t *testing.T) {
	for area, want := range map[string]string{"": "bund", "03": "land", "034": "regierungsbezirk", "03459": "kreis", "034595402": "verband", "034595402001": "gemeinde"} {
		if got := MustArea(area).Level(); got != want {
			t.Errorf("%q: %s, want %s", area, got, want)
		}
	}
}

func TestAreaCovers(t *testing.T) {
	for _, tt := range []struct {
		wide, narrow string
		want         bool
	}{
		{"", "03", true}, {"", "", true}, {"03", "03459", true}, {"03459", "034595402001", true},
		{"034595402", "034595402001", true}, {"034595402", "034595401007", false}, {"034595402", "034590012012", false},
		{"03459", "03458", false}, {"03459", "03", false}, {"03", "", false}, {"03", "13", false},
	} {
		if got := MustArea(tt.wide).Covers(MustArea(tt.narrow)); got != tt.want {
			t.Errorf("%q covers %q: %v", tt.wide, tt.narrow, got)
		}
	}
}

func TestAreaOrder(t *testing.T) {
	want := []string{"", "03", "034", "03459", "034590003003", "034595401", "034595401007", "034595402", "13"}
	areas := make([]Area, 0, len(want))
	for _, s := range []string{"034595402", "13", "034595401007", "", "034590003003", "03459", "034", "034595401", "03"} {
		areas = append(areas, MustArea(s))
	}
	slices.SortFunc(areas, Area.Compare)
	for i := range want {
		if areas[i].String() != want[i] {
			t.Fatalf("order %v, want %v", areas, want)
		}
	}
}

func TestParseAGS(t *testing.T) {
	for _, s := range []string{"03", "034", "03459", "03459012", "16077999", "00000000", "99999999"} {
		a, err := ParseAGS(s)
		if err != nil || a.String() != s || a.Len() != len(s) || a.IsZero() {
			t.Errorf("ParseAGS(%q) = %v, %v", s, a, err)
		}
	}
	for name, s := range map[string]string{
		"empty": "", "one": "0", "four": "0345", "seven": "3459012", "nine": "034595402", "ARS": "034590012012",
		"letter": "0345901x", "blank": "0345 012", "full-width": "０345901", "minus": "-3459012",
	} {
		if a, err := ParseAGS(s); !errors.Is(err, ErrAGS) || !a.IsZero() {
			t.Errorf("%s: ParseAGS(%q) = %v, %v", name, s, a, err)
		}
	}
}

func TestAreaToAGS(t *testing.T) {
	for ars, want := range map[string]string{
		"034595402001": "03459001", "034590012012": "03459012", "034040000000": "03404000", "160615051002": "16061002",
		"03459": "03459", "034": "034", "03": "03", "034595402": "", "": "",
	} {
		a, ok := MustArea(ars).AGS()
		if a.String() != want || ok != (want != "") {
			t.Errorf("%q: AGS %q, %v; want %q", ars, a, ok, want)
		}
	}
	if a, ok := MustAGS("03459").Area(); !ok || a != MustArea("03459") {
		t.Errorf("Kreis: %v, %v", a, ok)
	}
	if _, ok := MustAGS("03459012").Area(); ok {
		t.Error("the area of a Gemeinde is known without a table")
	}
}

func TestText(t *testing.T) {
	type pair struct {
		Area Area `json:"area"`
		AGS  AGS  `json:"ags"`
	}
	in := pair{MustArea("034595402"), MustAGS("03459012")}
	b, err := json.Marshal(in)
	if err != nil || string(b) != `{"area":"034595402","ags":"03459012"}` {
		t.Fatalf("%s, %v", b, err)
	}
	var out pair
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Errorf("%v, %v", out, err)
	}
	for _, bad := range []string{`{"area":"0345"}`, `{"ags":"3459012"}`} {
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
	if err := json.Unmarshal([]byte(`{"ags":""}`), &out); err != nil || !out.AGS.IsZero() {
		t.Errorf("empty AGS: %v, %v", out.AGS, err)
	}
}

func FuzzParseAGS(f *testing.F) {
	for _, s := range []string{"03459012", "03459", "03", "", "3459012", "０３４５９", "0345901x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAGS(s)
		if err != nil {
			if !errors.Is(err, ErrAGS) {
				t.Fatal(err)
			}
			return
		}
		if a.String() != s {
			t.Fatalf("%q reads as %q", s, a)
		}
		if area, ok := a.Area(); ok {
			if back, _ := area.AGS(); back != a {
				t.Fatalf("%q: back from the area: %q", s, back)
			}
		}
	})
}

func FuzzParseArea(f *testing.F) {
	for _, s := range []string{"034595402001", "034595402", "03459", "034", "03", "", "0345", "０３"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseArea(s)
		if err != nil {
			return
		}
		if a.String() != s {
			t.Fatalf("%q reads as %q", s, a)
		}
		for p, ok := a.Parent(); ok; p, ok = p.Parent() {
			if !p.Covers(a) || a.Covers(p) && a != p {
				t.Fatalf("%q and its parent %q", a, p)
			}
		}
	})
}
