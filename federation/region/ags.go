package region

import (
	"errors"
	"fmt"
)

// ErrAGS is wrapped by every refusal of ParseAGS.
var ErrAGS = errors.New("region: not an AGS")

// AGS is an Amtlicher Gemeindeschlüssel of 2 (Land), 3 (Regierungsbezirk),
// 5 (Kreis) or 8 digits (Gemeinde). A Gemeindeverband has none. Compare with
// ==; the zero value means "no AGS".
type AGS struct {
	// code holds the digits padded with zeros to 8, times 16, plus their number.
	code uint32
}

// ParseAGS reads 2, 3, 5 or 8 ASCII digits.
func ParseAGS(s string) (AGS, error) {
	switch len(s) {
	case 2, 3, 5, 8:
	default:
		return AGS{}, fmt.Errorf("%w: %q has %d characters; 2, 3, 5 or 8 digits are needed", ErrAGS, clip(s), len(s))
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return AGS{}, fmt.Errorf("%w: %q has something other than a digit at position %d", ErrAGS, clip(s), i+1)
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return makeAGS(n, len(s)), nil
}

// MustAGS is ParseAGS for literals in programs and tests; it panics on error.
func MustAGS(s string) AGS {
	a, err := ParseAGS(s)
	if err != nil {
		panic(err)
	}
	return a
}

func makeAGS(n uint64, length int) AGS {
	return AGS{code: uint32(n*pow10[8-length])<<4 | uint32(length)}
}

// Len returns the number of digits: 0, 2, 3, 5 or 8.
func (a AGS) Len() int { return int(a.code & 15) }

// IsZero reports whether there is no AGS.
func (a AGS) IsZero() bool { return a.code == 0 }

// String returns the digits, "" for the zero value.
func (a AGS) String() string {
	n := a.Len()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%0*d", n, uint64(a.code>>4)/pow10[8-n])
}

// Area returns the area of a Land, Regierungsbezirk or Kreis. For a Gemeinde
// ok is false: its four Verband digits are known only to a Register.
func (a AGS) Area() (area Area, ok bool) {
	n := a.Len()
	if n == 0 || n == 8 {
		return Area{}, false
	}
	return makeArea(uint64(a.code>>4)/pow10[8-n], n), true
}

// AGS returns the AGS of the same area: the digits without the four Verband
// digits. ok is false for the Bund and for a Gemeindeverband, which has none.
// The way back needs a table: see Register.ARS.
func (a Area) AGS() (ags AGS, ok bool) {
	n := a.Len()
	digits := a.code >> 4
	switch n {
	case 2, 3, 5:
		return makeAGS(digits/pow10[12-n], n), true
	case 12:
		return makeAGS(digits/pow10[7]*pow10[3]+digits%pow10[3], 8), true
	}
	return AGS{}, false
}

// MarshalText implements encoding.TextMarshaler; the zero value is empty.
func (a AGS) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty is the zero value.
func (a *AGS) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*a = AGS{}
		return nil
	}
	v, err := ParseAGS(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
