package federation

import (
	"errors"
	"fmt"
)

// ErrLevel is returned for a word or an acr that names no Level.
var ErrLevel = errors.New("federation: unknown Vertrauensniveau")

// Level is the Vertrauensniveau of a login, or the one a service asks for.
// Levels are ordered: compare with < and >=.
type Level uint8

// The levels of the German Portalverbund. Basis is the unchecked user name
// and password registration; it is below eIDAS low and never equal to it.
const (
	LevelNone Level = iota
	LevelBasis
	LevelNiedrig
	LevelSubstanziell
	LevelHoch
)

// The acr values sent and understood [OIDC §2]. Basis has a value of this
// network's own: BundID's STORK level 1 must not pass as eIDAS low.
const (
	acrBasis        = "urn:rathausnetz:acr:basis"
	acrNiedrig      = "http://eidas.europa.eu/LoA/low"
	acrSubstanziell = "http://eidas.europa.eu/LoA/substantial"
	acrHoch         = "http://eidas.europa.eu/LoA/high"
)

var levelWords = [...]string{"ohne", "basis", "niedrig", "substanziell", "hoch"}
var levelACRs = [...]string{"", acrBasis, acrNiedrig, acrSubstanziell, acrHoch}

// ParseLevel reads one of ohne, basis, niedrig, substanziell, hoch.
func ParseLevel(s string) (Level, error) {
	for i, w := range levelWords {
		if s == w {
			return Level(i), nil
		}
	}
	return LevelNone, fmt.Errorf("%w %q: one of %v", ErrLevel, s, levelWords)
}

// LevelOfACR returns the level of an acr value; an unknown or empty value is
// an error, never a level.
func LevelOfACR(acr string) (Level, error) {
	for i, a := range levelACRs {
		if acr == a && acr != "" {
			return Level(i), nil
		}
	}
	return LevelNone, fmt.Errorf("%w: acr %q", ErrLevel, acr)
}

// ACR returns the acr value, "" for LevelNone.
func (l Level) ACR() string {
	if int(l) < len(levelACRs) {
		return levelACRs[l]
	}
	return ""
}

// String returns the word of ParseLevel.
func (l Level) String() string {
	if int(l) < len(levelWords) {
		return levelWords[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *Level) UnmarshalText(b []byte) error {
	v, err := ParseLevel(string(b))
	if err != nil {
		return err
	}
	*l = v
	return nil
}
