package region

import (
	"bufio"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

//go:embed demo_03459.csv
var demoCSV string

//go:embed demo_03460.csv
var besideCSV string

//go:embed ortsteile_03459.csv
var demoOrtsteile string

// demoDate is the Gebietsstand of the built-in table.
const demoDate = "2025-08-31"

// Demo returns the register of the demonstration Kreis: the Landkreis
// Osnabrück (03459) with its Samtgemeinden, Gemeinden and larger Ortsteile,
// built in.
func Demo() *Register { return demo(DemoEdition()) }

// DemoBeside is Demo and further Kreise, for two Landkreise side by side.
func DemoBeside(further ...*Edition) *Register {
	return demo(append([]*Edition{DemoEdition()}, further...)...)
}

func demo(editions ...*Edition) *Register {
	r := NewRegister(editions...)
	if _, err := r.AddOrtsteile(strings.NewReader(demoOrtsteile)); err != nil {
		panic("region: built-in table: " + err.Error())
	}
	return r
}

// DemoEdition returns the built-in table as an edition, to be laid under or
// over others.
func DemoEdition() *Edition {
	e, err := readTable(strings.NewReader(demoCSV))
	if err != nil {
		panic("region: built-in table: " + err.Error())
	}
	return e
}

// BesideEdition returns the Kreis beside the built-in one: the Landkreis Vechta
// (03460) with its Gemeinden.
func BesideEdition() *Edition {
	e, err := readTable(strings.NewReader(besideCSV))
	if err != nil {
		panic("region: built-in table: " + err.Error())
	}
	return e
}

// readTable reads the project's own small table: ars;name;typ;plz;weitere_plz;
// sitz;bevoelkerung;flaeche_ha, with a header line.
func readTable(r io.Reader) (*Edition, error) {
	date, err := time.Parse(time.DateOnly, demoDate)
	if err != nil {
		return nil, fmt.Errorf("region: table date: %w", err)
	}
	e := &Edition{Date: date, Source: fmt.Sprintf(gv100adSource, date.Format("02.01.2006"))}
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord = ';', 8
	var kreise []Area
	for line := 1; ; line++ {
		f, err := c.Read()
		if errors.Is(err, io.EOF) {
			e.cover(nil, kreise)
			return e, nil
		}
		if err != nil {
			return nil, &FormatError{line, err.Error()}
		}
		if line == 1 {
			continue
		}
		p, err := tablePlace(f)
		if err != nil {
			return nil, &FormatError{line, err.Error()}
		}
		if p.Area.Len() == 5 {
			kreise = append(kreise, p.Area)
		}
		for code := range strings.FieldsSeq(f[4]) {
			e.Extra = append(e.Extra, PLZ{code, p.AGS})
		}
		e.Places = append(e.Places, p)
	}
}

func tablePlace(f []string) (Place, error) {
	area, err := ParseArea(f[0])
	if err != nil {
		return Place{}, err
	}
	p := Place{Area: area, Official: f[1], PLZ: f[3], PLZSeveral: f[4] != "", Seat: f[5]}
	p.AGS, _ = area.AGS()
	var kind int
	for _, n := range []struct {
		s    string
		into *int
	}{{f[2], &kind}, {f[6], &p.Population}, {f[7], &p.Hectares}} {
		if n.s == "" {
			continue
		}
		if *n.into, err = strconv.Atoi(n.s); err != nil {
			return Place{}, err
		}
	}
	p.Type = Type(kind)
	p.setNames()
	return p, nil
}

// maxPairs bounds a table of pairs; all of Germany has about 13 000 of PLZ
// and AGS.
const maxPairs = 500_000

// pair is one line of a table that says something about a Gemeinde.
type pair struct {
	text string
	ags  AGS
}

// readPairs reads lines "text;ags" (8 digits; a comma or tab separates as
// well). Empty lines, lines beginning with # and a first line without a key are
// skipped.
func readPairs(in io.Reader, what string, check func(string) bool) ([]pair, error) {
	var pairs []pair
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 0, 4096), 4096)
	line := 0
	for sc.Scan() {
		line++
		s := strings.TrimSpace(strings.TrimPrefix(sc.Text(), "\ufeff"))
		if s == "" || s[0] == '#' {
			continue
		}
		f := strings.FieldsFunc(s, func(c rune) bool { return c == ';' || c == ',' || c == '\t' })
		if len(f) < 2 {
			return nil, &FormatError{line, "two fields are needed: " + what + ";ags"}
		}
		text, key := strings.Trim(f[0], `" `), strings.Trim(f[1], `" `)
		ags, err := ParseAGS(key)
		if line == 1 && key == strings.TrimLeft(key, "0123456789") {
			continue // the names of the columns
		}
		if !check(text) || err != nil || ags.Len() != 8 {
			return nil, &FormatError{line, fmt.Sprintf("%q needs %s and an AGS of 8 digits", clip(s), what)}
		}
		if len(pairs) == maxPairs {
			return nil, &FormatError{line, fmt.Sprintf("more than %d pairs", maxPairs)}
		}
		pairs = append(pairs, pair{text, ags})
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, &FormatError{line + 1, "the line is longer than 4096 bytes"}
		}
		return nil, fmt.Errorf("region: read %s table: %w", what, err)
	}
	return pairs, nil
}

// AddPLZ loads a table of lines "plz;ags" (8 digits; a comma or tab separates
// as well; a header line, empty lines and lines beginning with # are skipped).
// Pairs whose AGS the register does not know are counted in unknown. With a
// table loaded, a PLZ look-up counts as complete. Call it before the register
// is shared: it is not safe beside any other method. On error (*FormatError)
// nothing has been changed.
func (r *Register) AddPLZ(in io.Reader) (unknown int, err error) {
	pairs, err := readPairs(in, "plz", isPLZ)
	if err != nil {
		return 0, err
	}
	for _, p := range pairs {
		if !r.addPLZ(PLZ{p.text, p.ags}) {
			unknown++
		}
	}
	r.plzComplete = r.plzComplete || len(pairs) > unknown
	return unknown, nil
}

// AddOrtsteile loads a table of lines "ortsteil;ags" in the same form: the
// names of villages and districts, which no official key has. Lookup then
// leads them to their Gemeinde, unless a place of the register has the name.
// As with AddPLZ, call it before the register is shared.
func (r *Register) AddOrtsteile(in io.Reader) (unknown int, err error) {
	pairs, err := readPairs(in, "ortsteil", isName)
	if err != nil {
		return 0, err
	}
	var f folder
	for _, p := range pairs {
		ref, ok := r.ags[p.ags]
		if !ok || !f.fold(p.text) {
			unknown++
			continue
		}
		put(r.names.parts, string(f.all()), ref)
	}
	for _, refs := range r.names.parts {
		r.sortRefs(refs)
	}
	return unknown, nil
}

// isName reports whether s can be the name of a place.
func isName(s string) bool {
	var f folder
	return f.fold(s) && f.n > 0
}

func (r *Register) addPLZ(p PLZ) bool {
	ref, ok := r.ags[p.AGS]
	if ok {
		r.putPLZ(p.Code, ref)
	}
	return ok
}

// putPLZ keeps the places of a PLZ in the order of their areas.
func (r *Register) putPLZ(code string, ref int32) {
	n := uint32(number([]byte(code)))
	list := r.plz[n]
	for _, x := range list {
		if x == ref {
			return
		}
	}
	list = append(list, ref)
	r.sortRefs(list)
	r.plz[n] = list
}
