package trust

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxSeconds is the end of the year 9999: later times are nonsense.
const maxSeconds = 253402300799

// Seconds is a NumericDate [RFC 7519 §2]: seconds since 1970, a JSON number,
// never a string. Fractions are cut off.
type Seconds int64

// At returns t as Seconds.
func At(t time.Time) Seconds { return Seconds(t.Unix()) }

// Time returns the moment; the zero value is the zero time.
func (s Seconds) Time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// UnmarshalJSON implements json.Unmarshaler; errors wrap ErrClaims.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] < '0' || b[0] > '9' {
		return fmt.Errorf("%w: a time must be a number of seconds, got %s", ErrClaims, clip(string(b)))
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || f > maxSeconds {
		return fmt.Errorf("%w: no possible time: %s", ErrClaims, clip(string(b)))
	}
	*s = Seconds(f)
	return nil
}

// checkTimes refuses time claims that are not numbers, whoever reads them.
func checkTimes(claims []byte) error {
	var c struct {
		IssuedAt  *Seconds `json:"iat"`
		NotBefore *Seconds `json:"nbf"`
		Expires   *Seconds `json:"exp"`
	}
	return decode(claims, &c)
}
