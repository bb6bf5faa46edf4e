package leika

import (
	"errors"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     ID
		ok       bool
	}{
		{"Detail", "99108001001000", 99108001001000, true},
		{"URN", "urn:de:fim:leika:leistung:99108001001000", 99108001001000, true},
		{"Land key", "03108001001000", 3108001001000, true},
		{"reserved is still a key", "99400048079000", 99400048079000, true},
		{"empty", "", 0, false},
		{"13 digits", "9910800100100", 0, false},
		{"15 digits", "991080010010000", 0, false},
		{"8 digits", "99083016", 0, false},
		{"letter", "9910800100100a", 0, false},
		{"full-width digit", "9910800100１", 0, false}, // 14 bytes
		{"full-width digits", "９９１０８００１００１０００", 0, false},
		{"Arabic-Indic digits", "٩٩١٠٨٠٠", 0, false}, // 14 bytes
		{"sign", "+9108001001000", 0, false},
		{"blank inside", "99108 01001000", 0, false},
		{"blank around", " 9910800100100", 0, false},
		{"zeros", "00000000000000", 0, false},
		{"instance 00", "00000000000099", 0, false},
		{"bare URN", "urn:de:fim:leika:leistung:", 0, false},
		{"other URN", "urn:de:fim:leika:leistunx:99108001001000", 0, false},
		{"upper-case URN", "URN:DE:FIM:LEIKA:LEISTUNG:99108001001000", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.in)
			if got != tt.want || (err == nil) != tt.ok {
				t.Fatalf("Parse(%q) = %v, %v", tt.in, got, err)
			}
			if err != nil && !errors.Is(err, ErrKey) {
				t.Errorf("error %v is not ErrKey", err)
			}
		})
	}
}

func TestParts(t *testing.T) {
	for _, tt := range []struct {
		in                                string
		instanz, gruppe, objekt, ver, det int
		depth                             Depth
		object                            string
		national                          bool
	}{
		{"99108001001000", 99, 108, 1, 1, 0, LOV, "99108001000000", true},
		{"99012071006001", 99, 12, 71, 6, 1, LOVD, "99012071000000", true},
		{"99102013000000", 99, 102, 13, 0, 0, LO, "99102013000000", true},
		{"99102013000004", 99, 102, 13, 0, 4, LOVD, "99102013000000", true},
		{"03102013002999", 3, 102, 13, 2, 999, LOVD, "03102013000000", false},
	} {
		id := MustParse(tt.in)
		got := []int{id.Instanz(), id.Gruppierung(), id.Objekt(), id.Verrichtung(), id.Detail()}
		if want := []int{tt.instanz, tt.gruppe, tt.objekt, tt.ver, tt.det}; !slices.Equal(got, want) {
			t.Errorf("%s: parts %v, want %v", tt.in, got, want)
		}
		if id.Depth() != tt.depth || id.Object().String() != tt.object || id.IsNational() != tt.national {
			t.Errorf("%s: depth %s, object %s, national %v", tt.in, id.Depth(), id.Object(), id.IsNational())
		}
	}
	if ID(0).Depth() != "" || ID(0).URN() != "" || ID(0).String() != "" {
		t.Error("the zero value must have no depth and no text")
	}
}

func TestBroader(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"99012071006001", []string{"99012071006000", "99012071000000"}},
		{"99108001001000", []string{"99108001000000"}},
		{"99102013000000", nil},
		{"99102013000004", []string{"99102013000000"}},
	} {
		var got []string
		for id, ok := MustParse(tt.in).Broader(); ok; id, ok = id.Broader() {
			got = append(got, id.String())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		wide, narrow string
		want         bool
	}{
		{"99102013000000", "99102013104000", true},
		{"99102013000000", "99102013000000", true},
		{"99102013104000", "99102013104001", true},
		{"99102013104000", "99102013070000", false},
		{"99102013104001", "99102013104000", false},
		{"99102013104001", "99102013104001", true},
		{"99102013000000", "99102014104000", false},
		{"03102013000000", "99102013104000", false},
	} {
		if got := MustParse(tt.wide).Covers(MustParse(tt.narrow)); got != tt.want {
			t.Errorf("%s covers %s: %v", tt.wide, tt.narrow, got)
		}
	}
	if ID(0).Covers(0) || ID(0).Covers(99102013000000) {
		t.Error("the zero value covers something")
	}
}

func TestReserved(t *testing.T) {
	for in, want := range map[string]bool{
		"99400048079000": true, "99123456760610": true, "99134005017000": true,
		"99108001001000": false, "99400048079001": false,
	} {
		if MustParse(in).IsReserved() != want {
			t.Errorf("%s reserved: want %v", in, want)
		}
	}
}

func TestText(t *testing.T) {
	var id ID
	if err := id.UnmarshalText([]byte("99108001001000")); err != nil || id != 99108001001000 {
		t.Fatalf("%v, %v", id, err)
	}
	if err := id.UnmarshalText([]byte("x")); err == nil || id != 99108001001000 {
		t.Errorf("a refused text changed the value to %v", id)
	}
	if err := id.UnmarshalText(nil); err != nil || !id.IsZero() {
		t.Errorf("empty text: %v, %v", id, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"99108001001000", "urn:de:fim:leika:leistung:99108001001000", "03108001001000", "９９１０８００１００１０００", "00000000000000", "9910800100100a", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse(s)
		if err != nil {
			if id != 0 || !errors.Is(err, ErrKey) {
				t.Fatalf("Parse(%q) = %v, %v", s, id, err)
			}
			return
		}
		if again, err := Parse(id.String()); err != nil || again != id {
			t.Fatalf("%v does not read back: %v, %v", id, again, err)
		}
		if again, err := Parse(id.URN()); err != nil || again != id {
			t.Fatalf("%v does not read back from its URN: %v, %v", id, again, err)
		}
		for b, ok := id.Broader(); ok; b, ok = b.Broader() {
			if !b.Covers(id) || b.Object() != id.Object() {
				t.Fatalf("broader %v does not cover %v", b, id)
			}
		}
	})
}
