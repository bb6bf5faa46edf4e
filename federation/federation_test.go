package federation

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

func TestParseEntityID(t *testing.T) {
	good := map[string]EntityID{
		"https://portal.example/":       "https://portal.example",
		"https://portal.example:8443/a": "https://portal.example:8443/a",
	}
	for in, want := range good {
		if got, err := ParseEntityID(in, false); err != nil || got != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, bad := range []string{"", "portal.example", "http://portal.example", "http://melle.localhost:1", "https://", "https://u@a.example", "https://a.example?x", "https://a.example?", "https://a.example#", "https://A.example", "https://a.example/%2e", "https://a.example//b", "https://a.example/../b", "https://" + strings.Repeat("a", 120)} {
		if got, err := ParseEntityID(bad, false); !errors.Is(err, ErrEntityID) {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	if _, err := ParseEntityID("http://melle.localhost:8600", true); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"melle.localhost.example", "localhost.example", "10.0.0.1", "evillocalhost"} {
		if _, err := ParseEntityID("http://"+host, true); err == nil {
			t.Errorf("http://%s passed as loopback", host)
		}
	}
}

func TestAnnouncement(t *testing.T) {
	a := Announcement{Member: "https://" + EntityID(strings.Repeat("a", 112)), Serial: 7, Manifest: Sum([]byte("x"))}
	a.Signature[63] = 9
	b := a.Encode()
	if len(b) > MaxAnnouncement {
		t.Fatalf("%d bytes with the longest entity ID, at most %d are allowed", len(b), MaxAnnouncement)
	}
	got, err := DecodeAnnouncement(b)
	if err != nil || got != a {
		t.Fatalf("%+v, %v", got, err)
	}
	zero := a
	zero.Serial = 0
	hostile := map[string][]byte{"empty": nil, "cut": b[:len(b)-1], "longer": append(bytes.Clone(b), 0), "version": append([]byte{9}, b[1:]...), "serial 0": zero.Encode()}
	for name, h := range hostile {
		if _, err := DecodeAnnouncement(h); !errors.Is(err, ErrAnnouncement) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeAnnouncement(f *testing.F) {
	f.Add(Announcement{Member: "https://a.example", Serial: 1}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeAnnouncement(b)
		if err == nil && !bytes.Equal(a.Encode(), b) {
			t.Errorf("decode and encode differ for %x", b)
		}
	})
}

func TestLevels(t *testing.T) {
	for l := LevelBasis; l <= LevelHoch; l++ {
		if got, err := LevelOfACR(l.ACR()); err != nil || got != l {
			t.Errorf("%v: %v, %v", l, got, err)
		}
		if got, err := ParseLevel(l.String()); err != nil || got != l {
			t.Errorf("%v: %v, %v", l, got, err)
		}
	}
	for _, acr := range []string{"", "STORK-QAA-Level-1", "http://eidas.europa.eu/LoA/LOW", "4"} {
		if _, err := LevelOfACR(acr); !errors.Is(err, ErrLevel) {
			t.Errorf("acr %q: %v", acr, err)
		}
	}
}

func areas(s ...string) []region.Area {
	out := make([]region.Area, len(s))
	for i := range s {
		out[i] = region.MustArea(s[i])
	}
	return out
}

func TestScopeCovers(t *testing.T) {
	s := Scope{Areas: areas("034590012012", "03459"), Subtree: areas("034595402"), Except: areas("034595402010")}
	for a, want := range map[string]bool{
		"034590012012": true, "034590024024": false, "03459": true, "034595402": true,
		"034595402001": true, "034595402010": false, "034595403": false, "03": false,
	} {
		if got := s.CoversArea(region.MustArea(a)); got != want {
			t.Errorf("%s: %v", a, got)
		}
	}
	utility := Scope{Subtree: areas("03459"), LeikaPrefixes: []string{"99012"}}
	own := Scope{Subtree: areas("03459"), OwnOffersOnly: true}
	key := leika.MustParse("99036026017000")
	if utility.CoversKey(key) || !utility.CoversKey(leika.MustParse("99012068006000")) || !utility.CoversKey(0) {
		t.Error("LeiKa prefixes")
	}
	if own.CoversKey(key) || !own.CoversKey(0) {
		t.Error("own offers only")
	}
	if (Scope{}).CoversArea(region.MustArea("03459")) {
		t.Error("the zero scope grants something")
	}
}

func TestScopeWithin(t *testing.T) {
	hub := Scope{Subtree: areas("03459"), Except: areas("034590024024")}
	cases := map[string]struct {
		s    Scope
		want bool
	}{
		"one Gemeinde":               {Scope{Areas: areas("034590012012")}, true},
		"a Samtgemeinde":             {Scope{Subtree: areas("034595402")}, true},
		"the excepted one":           {Scope{Areas: areas("034590024024")}, false},
		"all without the exception":  {Scope{Subtree: areas("03459")}, false},
		"all with the exception":     {Scope{Subtree: areas("03459"), Except: areas("034590024024")}, true},
		"another Kreis":              {Scope{Areas: areas("034540010010")}, false},
		"the Land":                   {Scope{Subtree: areas("03")}, false},
		"string prefix is no parent": {Scope{Areas: areas("034")}, false},
	}
	for name, c := range cases {
		if got := c.s.Within(hub); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	keys := Scope{Subtree: areas("03459"), LeikaPrefixes: []string{"99012"}}
	narrower := Scope{Subtree: areas("034595402"), LeikaPrefixes: []string{"99012068"}}
	if !narrower.Within(keys) || keys.Within(narrower) {
		t.Error("key prefixes")
	}
	if (Scope{Areas: areas("034590012012")}).Within(keys) {
		t.Error("no restriction of keys inside a restricted scope")
	}
}
