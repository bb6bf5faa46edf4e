package leika

import (
	"errors"
	"fmt"
)

// ErrKey is wrapped by every refusal of Parse.
var ErrKey = errors.New("leika: not a LeiKa key")

const (
	digits = 14
	urn    = "urn:de:fim:leika:leistung:"
)

// ID is a LeiKa key of 14 digits as a number; compare with ==. The zero value
// means "no key".
type ID uint64

// Parse reads exactly 14 ASCII digits, optionally after the prefix
// "urn:de:fim:leika:leistung:". The instance 00 does
// not exist and is refused, and with it a key of zeros.
func Parse(s string) (ID, error) {
	if len(s) == len(urn)+digits && s[:len(urn)] == urn {
		s = s[len(urn):]
	}
	if len(s) != digits {
		return 0, fmt.Errorf("%w: %q has %d characters, 14 digits are needed", ErrKey, clip(s), len(s))
	}
	var id ID
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("%w: %q has something other than a digit at position %d", ErrKey, clip(s), i+1)
		}
		id = id*10 + ID(s[i]-'0')
	}
	if id < 1e12 {
		return 0, fmt.Errorf("%w: %q begins with 00, which is no instance of the catalogue", ErrKey, s)
	}
	return id, nil
}

// MustParse is Parse for literals in programs and tests; it panics on error.
func MustParse(s string) ID {
	id, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return id
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// IsZero reports whether there is no key.
func (id ID) IsZero() bool { return id == 0 }

// String returns the 14 digits, "" for the zero value.
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	return fmt.Sprintf("%014d", uint64(id))
}

// Broader returns the next less specific key: without Verrichtungsdetail,
// then without Verrichtung (the object's key). ok is false at the object.
func (id ID) Broader() (broader ID, ok bool) {
	switch {
	case id%1000 != 0:
		return id - id%1000, true
	case id%1000000 != 0:
		return id - id%1000000, true
	}
	return 0, false
}

// MarshalText implements encoding.TextMarshaler; the zero value is empty.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; empty is the zero value.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = 0
		return nil
	}
	v, err := Parse(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}
