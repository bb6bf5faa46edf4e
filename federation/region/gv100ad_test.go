package region

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// record builds a GV100AD record of 220 characters: kind, date, key fields as
// in the file, name, seat and what stands from column 123.
func record(kind, key, name, seat, rest string) string {
	const stand = "20250831"
	head := fmt.Sprintf("%s%s%-12s", kind, stand, key)
	return head + pad(name, 50) + pad(seat, 50) + pad(rest, recordChars-122)
}

// pad fills s with blanks to n characters.
func pad(s string, n int) string { return s + strings.Repeat(" ", n-len([]rune(s))) }

// gemeinde is the part from column 123 of a record 60.
func gemeinde(kind, hectares, population int, plz string) string {
	return fmt.Sprintf("%02d    %011d%011d%011d    %s", kind, hectares, population, population/2, plz)
}

func sample() []string {
	return []string{
		record("10", "03", "Niedersachsen", "Hannover", ""),
		record("20", "034", "Statistische Region Weser-Ems", "", ""),
		record("30", "0811", "Region Stuttgart", "Stuttgart", ""),
		record("40", "03459", "Osnabrück", "Osnabrück", "44"),
		record("50", "03459   0012", "Bissendorf", "", "50"),
		record("60", "034590120012", "Bissendorf", "", gemeinde(64, 9641, 14614, "49143")),
		record("60", "034590240024", "Melle, Stadt", "", gemeinde(63, 25395, 46436, "49324*****")),
		record("50", "03459   5402", "Bersenbrück", "Bersenbrück", "52"),
		record("60", "034590105402", "Bersenbrück, Stadt", "", gemeinde(63, 4254, 8221, "49593")),
	}
}

func TestReadGV100AD(t *testing.T) {
	for name, file := range map[string]string{
		"LF":              strings.Join(sample(), "\n") + "\n",
		"CRLF and BOM":    "\ufeff" + strings.Join(sample(), "\r\n") + "\r\n",
		"no last newline": strings.Join(sample(), "\n"),
		"control-Z":       strings.Join(sample(), "\r\n") + "\r\n\x1a",
	} {
		t.Run(name, func(t *testing.T) {
			e, err := ReadGV100AD(strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Places) != 7 || e.Date.Format("2006-01-02") != "2025-08-31" || len(e.Covers) != 1 || e.Covers[0] != MustArea("03") {
				t.Fatalf("%v, covers %v", e, e.Covers)
			}
			if !strings.Contains(e.Source, "Destatis") || !strings.Contains(e.Source, "31.08.2025") {
				t.Errorf("source %q", e.Source)
			}
			p := e.Places[4]
			if p.Area != MustArea("034590024024") || p.AGS != MustAGS("03459024") || p.Name != "Melle" || p.Official != "Melle, Stadt" ||
				p.FullName != "Stadt Melle" || p.Type != Stadt || p.PLZ != "49324" || !p.PLZSeveral || p.Population != 46436 || p.Hectares != 25395 {
				t.Errorf("Melle: %+v", p)
			}
			if p := e.Places[5]; p.Area != MustArea("034595402") || !p.AGS.IsZero() || p.FullName != "Samtgemeinde Bersenbrück" || p.Seat != "Bersenbrück" {
				t.Errorf("Samtgemeinde: %+v", p)
			}
			if p := e.Places[2]; p.FullName != "Landkreis Osnabrück" || p.AGS != MustAGS("03459") {
				t.Errorf("Kreis: %+v", p)
			}
		})
	}
}

func TestReadGV100ADPart(t *testing.T) {
	e, err := ReadGV100AD(strings.NewReader(strings.Join(sample()[3:], "\n")))
	if err != nil || len(e.Covers) != 1 || e.Covers[0] != MustArea("03459") {
		t.Errorf("a file with one Kreis covers %v, %v", e, err)
	}
}

func TestReadGV100ADRefuses(t *testing.T) {
	good := sample()
	with := func(i int, f func(string) string) string {
		s := append([]string(nil), good...)
		s[i] = f(s[i])
		return strings.Join(s, "\n")
	}
	replace := func(i int, old, new string) string {
		return with(i, func(s string) string { return strings.Replace(s, old, new, 1) })
	}
	for name, tt := range map[string]struct {
		file, says string
	}{
		"empty":                  {"", "no record"},
		"219 characters":         {with(3, func(s string) string { return s[:len(s)-1] }), "line 4: 219 characters"},
		"220 bytes, not chars":   {with(3, func(s string) string { return s[:220] }), "line 4: 218 characters"},
		"Latin-1":                {replace(3, "ü", "\xfc"), "not UTF-8"},
		"unknown type":           {replace(5, "60", "61"), "record type"},
		"type Q":                 {replace(5, "60", "QQ"), "record type"},
		"letter in key":          {replace(5, "034590120012", "03459012001x"), "line 6"},
		"full-width key":         {replace(5, "034590120012", "０34590120012"), "where a digit belongs"},
		"key cut off":            {replace(3, "03459", "0345 "), "must have 5 digits"},
		"Verband without digits": {replace(7, "5402", "    "), "needs 4 digits"},
		"twice":                  {with(6, func(string) string { return good[5] }), "twice"},
		"no name":                {replace(5, "Bissendorf", "          "), "name"},
		"two dates":              {replace(5, "20250831", "20231130"), "one file holds one date"},
		"no date":                {strings.ReplaceAll(strings.Join(good, "\n"), "20250831", "2025083x"), "JJJJMMTT"},
		"date 30 February":       {strings.ReplaceAll(strings.Join(good, "\n"), "20250831", "20250230"), "JJJJMMTT"},
		"population letters":     {replace(5, "00000014614", "0000001461x"), "not a number"},
		"population overflow":    {replace(5, "00000014614", "99999999999"), "not a number"},
		"PLZ letters":            {replace(5, "49143", "4914x"), "PLZ"},
		"a line of a megabyte":   {strings.Repeat("6", 1<<20), "far longer"},
		"HTML":                   {"<!DOCTYPE html>\n<html></html>", "line 1: 15 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := ReadGV100AD(strings.NewReader(tt.file))
			if e != nil || !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("%v, %v; want an error that says %q", e, err, tt.says)
			}
		})
	}
}

func TestReadGV100ADReaderError(t *testing.T) {
	broken := errors.New("disk gone")
	if _, err := ReadGV100AD(errReader{broken}); !errors.Is(err, broken) || errors.Is(err, ErrFormat) {
		t.Errorf("error %v", err)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// sharedFile reads a file of the folder shared/data that lies beside the
// repository. Without that folder the test is skipped, except in CI.
func sharedFile(tb testing.TB, name string) []byte {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if b, err := os.ReadFile(filepath.Join(dir, "shared", "data", name)); err == nil {
			return b
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if os.Getenv("CI") == "true" {
		tb.Fatalf("shared/data/%s is missing, and CI needs it", name)
	}
	tb.Skipf("shared/data/%s is not there", name)
	return nil
}

func germany(tb testing.TB, names ...string) *Register {
	tb.Helper()
	var editions []*Edition
	for _, name := range names {
		e, err := ReadGV100AD(bytes.NewReader(sharedFile(tb, name)))
		if err != nil {
			tb.Fatal(err)
		}
		editions = append(editions, e)
	}
	return NewRegister(editions...)
}

const file2023, file2025 = "GV100AD_30112023.txt", "GV100AD_31082025.txt"

func TestGermany(t *testing.T) {
	r := germany(t, file2025)
	levels := make(map[int]int)
	ags := make(map[AGS]bool)
	for i := range r.places {
		p := &r.places[i]
		levels[p.Area.Len()]++
		if p.Type == Verbandsfrei {
			t.Errorf("%s %s is no association", p.Area, p.Official)
		}
		if p.Area.IsGemeinde() {
			if ars, ok := r.ARS(p.AGS); !ok || ars != p.Area || ags[p.AGS] {
				t.Errorf("%s: ARS %s, want %s", p.AGS, ars, p.Area)
			}
			ags[p.AGS] = true
		}
	}
	for length, want := range map[int]int{2: 16, 3: 29, 5: 400, 9: 4590 - 3387, 12: 10952} {
		if levels[length] != want {
			t.Errorf("%d digits: %d places, want %d", length, levels[length], want)
		}
	}
	if p, ok := r.Lookup("Lübben (Spreewald)", noDate).One(); !ok || p.AGS != MustAGS("12061316") {
		t.Errorf("Lübben: %v, %v", p, ok)
	}
}

func FuzzReadGV100AD(f *testing.F) {
	f.Add([]byte(strings.Join(sample(), "\n")))
	f.Add([]byte("\ufeff" + strings.Join(sample(), "\r\n")))
	f.Add([]byte(sample()[4]))
	f.Add([]byte(strings.Replace(sample()[5], "60", "70", 1)))
	f.Add([]byte("60"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ReadGV100AD(bytes.NewReader(b))
		if err != nil {
			if e != nil || !errors.Is(err, ErrFormat) {
				t.Fatalf("%v, %v", e, err)
			}
			return
		}
		r := NewRegister(e)
		if r.Len() != len(e.Places) {
			t.Fatalf("%d places in the register, %d in the file", r.Len(), len(e.Places))
		}
		for _, p := range e.Places {
			if l := r.Lookup(p.Area.String(), noDate); !l.Known() {
				t.Fatalf("%s is not found by its own key", p.Area)
			}
		}
	})
}
