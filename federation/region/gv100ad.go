package region

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrFormat is wrapped by every refusal to read a register or PLZ file; the
// wrapping error is a *FormatError.
var ErrFormat = errors.New("region: file cannot be read")

// FormatError says where a file is wrong.
type FormatError struct {
	Line    int    // from 1
	Problem string // one sentence with the remedy
}

// Error implements error.
func (e *FormatError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// Is reports ErrFormat.
func (e *FormatError) Is(target error) bool { return target == ErrFormat }

// Limits of what is read; the official file has 16 000 records of 220.
const (
	recordChars  = 220
	maxRecords   = 200_000
	maxLineBytes = 4*recordChars + 8
)

// gv100adSource is the line the Statistisches Bundesamt asks for.
const gv100adSource = "Quelle: Statistisches Bundesamt (Destatis), GV100AD, Gebietsstand %s, eigene Aufbereitung"

// ReadGV100AD reads an official Gemeindeverzeichnis: records of 220
// characters (not bytes) in UTF-8, with or without byte order mark, lines
// ended by LF or CRLF [GV100AD]. Records of type 10 (Land), 20
// (Regierungsbezirk), 40 (Kreis), 50 (Gemeindeverband) and 60 (Gemeinde)
// become places. Type 30 (Region, only Baden-Württemberg) has no place in the
// ARS and is checked only; a record of type 50 that repeats a verbandsfreie
// Gemeinde is not an association and is left out.
//
// The error is a *FormatError with the line for anything else.
func ReadGV100AD(r io.Reader) (*Edition, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, maxLineBytes), maxLineBytes)
	p := gvParser{edition: &Edition{}, seen: make(map[Area]bool)}
	for sc.Scan() {
		p.line++
		b := sc.Bytes()
		if p.line == 1 && len(b) >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
			b = b[3:]
		}
		if len(b) > 0 && b[len(b)-1] == '\r' {
			b = b[:len(b)-1]
		}
		if len(b) == 0 || len(b) == 1 && b[0] == 0x1a {
			continue
		}
		if err := p.record(string(b)); err != nil {
			return nil, err
		}
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return nil, &FormatError{p.line + 1, "the line is far longer than 220 characters; this is not a GV100AD file"}
		}
		return nil, fmt.Errorf("region: read GV100AD: %w", err)
	}
	if len(p.edition.Places) == 0 {
		return nil, &FormatError{p.line, "the file holds no record"}
	}
	p.edition.Source = fmt.Sprintf(gv100adSource, p.edition.Date.Format("02.01.2006"))
	p.edition.cover(p.laender, p.kreise)
	return p.edition, nil
}

// cover notes what the edition is complete for: each Land that has its own
// record, else each Kreis that has one.
func (e *Edition) cover(laender, kreise []Area) {
	e.Covers = laender
	for _, k := range kreise {
		inside := false
		for _, l := range laender {
			inside = inside || l.Covers(k)
		}
		if !inside {
			e.Covers = append(e.Covers, k)
		}
	}
}

// gvParser holds the state of one read.
type gvParser struct {
	edition         *Edition
	seen            map[Area]bool
	laender, kreise []Area
	line            int
	stand           string
	offsets         [recordChars + 1]int // byte offset of each character of the record
}

func (p *gvParser) fail(format string, args ...any) error {
	return &FormatError{p.line, fmt.Sprintf(format, args...)}
}

// record reads one line without its end.
func (p *gvParser) record(s string) error {
	if p.line > maxRecords {
		return p.fail("more than %d records", maxRecords)
	}
	if err := p.measure(s); err != nil {
		return err
	}
	if err := p.date(s); err != nil {
		return err
	}
	key := strings.TrimRight(s[10:15], " ") // ASCII: measure has seen to it
	switch s[:2] {
	case "10":
		return p.add(s, key, 2)
	case "20":
		return p.add(s, key, 3)
	case "30":
		return nil
	case "40":
		return p.add(s, key, 5)
	case "50":
		if s[18:22] == "    " {
			return p.fail("a Gemeindeverband (50) needs 4 digits at 19–22")
		}
		if p.field(s, 123, 124) == "50" {
			return nil
		}
		return p.add(s, key+s[18:22], 9)
	case "60":
		return p.add(s, key+s[18:22]+s[15:18], 12)
	}
	return p.fail("record type %q is not one of 10, 20, 30, 40, 50, 60", s[:2])
}

// measure checks the length and finds the byte offset of each character.
func (p *gvParser) measure(s string) error {
	n := 0
	for i, c := range s {
		if c == utf8.RuneError {
			return p.fail("character %d is not UTF-8; convert the file to UTF-8 first", n+1)
		}
		if n < recordChars {
			p.offsets[n] = i
		}
		if n < 22 && c >= utf8.RuneSelf {
			return p.fail("character %d is %q where a digit belongs", n+1, c)
		}
		n++
	}
	if n != recordChars {
		return p.fail("%d characters, a GV100AD record has %d", n, recordChars)
	}
	p.offsets[recordChars] = len(s)
	return nil
}

func (p *gvParser) date(s string) error {
	stand := s[2:10]
	if stand == p.stand {
		return nil
	}
	if p.stand != "" {
		return p.fail("Gebietsstand %s after %s; one file holds one date", stand, p.stand)
	}
	d, err := time.Parse("20060102", stand)
	if err != nil {
		return p.fail("Gebietsstand %q at 3–10 is not a date JJJJMMTT", stand)
	}
	p.stand, p.edition.Date = stand, d
	return nil
}

// field returns the characters from–to, counted from 1, without blanks
// around them.
func (p *gvParser) field(s string, from, to int) string {
	return strings.TrimSpace(s[p.offsets[from-1]:p.offsets[to]])
}

func (p *gvParser) add(s, key string, length int) error {
	if len(key) != length {
		return p.fail("the key %q of a record %s must have %d digits", key, s[:2], length)
	}
	area, err := ParseArea(key)
	if err != nil {
		return p.fail("the key %q holds something other than digits", key)
	}
	if p.seen[area] {
		return p.fail("the key %s appears twice", key)
	}
	p.seen[area] = true
	place := Place{Area: area, Official: p.field(s, 23, 72), Seat: p.field(s, 73, 122)}
	if place.Official == "" {
		return p.fail("the name at 23–72 is empty")
	}
	if length != 9 {
		place.AGS, _ = area.AGS()
	}
	kind, ok := p.number(s, 123, 124)
	if !ok {
		return p.fail("the Textkennzeichen at 123–124 is not a number")
	}
	place.Type = Type(kind)
	switch length {
	case 2:
		p.laender = append(p.laender, area)
	case 5:
		p.kreise = append(p.kreise, area)
	case 12:
		if err := p.gemeinde(&place, s); err != nil {
			return err
		}
	}
	place.setNames()
	p.edition.Places = append(p.edition.Places, place)
	return nil
}

func (p *gvParser) gemeinde(place *Place, s string) error {
	var okArea, okPopulation bool
	place.Hectares, okArea = p.number(s, 129, 139)
	place.Population, okPopulation = p.number(s, 140, 150)
	if !okArea || !okPopulation {
		return p.fail("area (129–139) or population (140–150) is not a number")
	}
	place.PLZ = p.field(s, 166, 170)
	if place.PLZ != "" && !isPLZ(place.PLZ) {
		return p.fail("the PLZ %q at 166–170 does not have five digits", place.PLZ)
	}
	place.PLZSeveral = p.field(s, 171, 175) != ""
	return nil
}

// number reads a field of digits; blank is 0.
func (p *gvParser) number(s string, from, to int) (int, bool) {
	f := p.field(s, from, to)
	if f == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(f, 10, 32)
	return int(n), err == nil
}

func isPLZ(s string) bool {
	if len(s) != 5 {
		return false
	}
	for i := range 5 {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
