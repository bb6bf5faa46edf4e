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

// demoDate is the Gebietsstand of the built-in table.
const demoDate = "2025-08-31"

// Demo returns the register of the demonstration Kreis: the Landkreis
// Osnabrück (03459) with its Samtgemeinden and Gemeinden, built in.
func Demo() *Register { return NewRegister(DemoEdition()) }

// DemoEdition returns the built-in table as an edition, to be laid under or
// over others.
func DemoEdition() *Edition {
	e, err := readTable(strings.NewReader(demoCSV))
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

// maxPLZRows bounds the PLZ table; all of Germany has about 13 000 pairs.
const maxPLZRows = 500_000

// AddPLZ loads a table of lines "plz;ags" (8 digits; a comma or tab separates
// as well; a header line, empty lines and lines beginning with # are skipped).
// Pairs whose AGS the register does not know are counted in unknown. With a
// table loaded, a PLZ look-up counts as complete. Call it before the register
// is shared: it is not safe beside any other method. On error (*FormatError)
// nothing has been changed.
func (r *Register) AddPLZ(in io.Reader) (unknown int, err error) {
	var pairs []PLZ
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
			return 0, &FormatError{line, "two fields are needed: plz;ags"}
		}
		code, key := strings.Trim(f[0], `" `), strings.Trim(f[1], `" `)
		if line == 1 && !isPLZ(code) {
			continue
		}
		ags, err := ParseAGS(key)
		if !isPLZ(code) || err != nil || ags.Len() != 8 {
			return 0, &FormatError{line, fmt.Sprintf("%q needs a PLZ of 5 digits and an AGS of 8", clip(s))}
		}
		if len(pairs) == maxPLZRows {
			return 0, &FormatError{line, fmt.Sprintf("more than %d pairs", maxPLZRows)}
		}
		pairs = append(pairs, PLZ{code, ags})
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return 0, &FormatError{line + 1, "the line is longer than 4096 bytes"}
		}
		return 0, fmt.Errorf("region: read PLZ table: %w", err)
	}
	for _, p := range pairs {
		if !r.addPLZ(p) {
			unknown++
		}
	}
	r.plzComplete = r.plzComplete || len(pairs) > unknown
	return unknown, nil
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
