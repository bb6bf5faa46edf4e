package region

import (
	"errors"
	"fmt"
)

// ErrArea is wrapped by every refusal of ParseArea.
var ErrArea = errors.New("region: not an area key")

// Area is a prefix of an ARS with 0 (Bund), 2 (Land), 3 (Regierungsbezirk),
// 5 (Kreis), 9 (Gemeindeverband) or 12 digits (Gemeinde). Areas are values:
// compare with ==, use as map keys. The zero value is the Bund.
type Area struct {
	// code holds the digits padded with zeros to 12, times 16, plus the
	// number of digits: one comparable word, ordered by digits then length.
	code uint64
}

var pow10 = [...]uint64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000}

// ParseArea reads 0, 2, 3, 5, 9 or 12 ASCII digits.
func ParseArea(s string) (Area, error) {
	switch len(s) {
	case 0, 2, 3, 5, 9, 12:
	default:
		return Area{}, fmt.Errorf("%w: %q has %d characters; 2, 3, 5, 9 or 12 digits are needed", ErrArea, clip(s), len(s))
	}
	var n uint64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return Area{}, fmt.Errorf("%w: %q has something other than a digit at position %d", ErrArea, clip(s), i+1)
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return makeArea(n, len(s)), nil
}

// MustArea is ParseArea for literals in programs and tests; it panics on error.
func MustArea(s string) Area {
	a, err := ParseArea(s)
	if err != nil {
		panic(err)
	}
	return a
}

func makeArea(n uint64, length int) Area {
	if length == 0 {
		return Area{}
	}
	return Area{code: n*pow10[12-length]<<4 | uint64(length)}
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// Len returns the number of digits: 0, 2, 3, 5, 9 or 12.
func (a Area) Len() int { return int(a.code & 15) }

// Level names the level of a: "bund", "land", "regierungsbezirk", "kreis",
// "verband" or "gemeinde".
func (a Area) Level() string {
	switch a.Len() {
	case 2:
		return "land"
	case 3:
		return "regierungsbezirk"
	case 5:
		return "kreis"
	case 9:
		return "verband"
	case 12:
		return "gemeinde"
	}
	return "bund"
}

// IsBund reports whether a is the whole federation.
func (a Area) IsBund() bool { return a.code == 0 }

// IsGemeinde reports whether a has 12 digits.
func (a Area) IsGemeinde() bool { return a.Len() == 12 }

// String returns the digits, "" for the Bund.
func (a Area) String() string {
	n := a.Len()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%0*d", n, (a.code>>4)/pow10[12-n])
}

// Truncate returns the first n digits of a; n must be 0, 2, 3, 5, 9 or 12.
// An Area of n or fewer digits is returned unchanged.
func (a Area) Truncate(n int) Area {
	if a.Len() <= n {
		return a
	}
	return makeArea((a.code>>4)/pow10[12-n], n)
}

// Parent returns the next wider area, 12 → 9 → 5 → 3 → 2 → Bund; ok is false
// for the Bund.
func (a Area) Parent() (parent Area, ok bool) {
	switch a.Len() {
	case 12:
		return a.Truncate(9), true
	case 9:
		return a.Truncate(5), true
	case 5:
		return a.Truncate(3), true
	case 3:
		return a.Truncate(2), true
	case 2:
		return Area{}, true
	}
	return Area{}, false
}

// Code returns a as one number: equal for equal areas only, zero for the Bund.
// It is for tables in memory and may differ between versions.
func (a Area) Code() uint64 { return a.code }

// Covers reports whether b is a or lies inside it. The Bund covers all.
func (a Area) Covers(b Area) bool { return b.Len() >= a.Len() && b.Truncate(a.Len()) == a }

// Compare orders areas by digits, then the wider before the narrower.
func (a Area) Compare(b Area) int {
	switch {
	case a.code < b.code:
		return -1
	case a.code > b.code:
		return 1
	}
	return 0
}

// MarshalText implements encoding.TextMarshaler.
func (a Area) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Area) UnmarshalText(b []byte) error {
	v, err := ParseArea(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
