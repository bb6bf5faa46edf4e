package session

import (
	"encoding/binary"
	"errors"
	"time"

	"rathausnetz/federation"
)

// ErrRecord is returned for a record that this version cannot read.
var ErrRecord = errors.New("session: unreadable record")

// A record is read for every page, so it is not JSON: a version byte, the
// level, then times (8 bytes, seconds) and strings (4 bytes length) in the
// order of the two functions below. A new field needs a new version.
const recordVersion = 1

const (
	maxAMR    = 16
	maxRecord = 64 << 10
)

func encode(s *Session) []byte {
	id := s.Identity
	b := make([]byte, 0, 512+len(s.IDToken))
	b = append(b, recordVersion, byte(id.Level), byte(min(len(id.AMR), maxAMR)))
	for _, t := range []time.Time{id.AuthTime, s.Started, s.Seen} {
		b = binary.BigEndian.AppendUint64(b, uint64(unix(t)))
	}
	c := id.Claims
	for _, f := range []string{
		string(id.Issuer), id.Subject, id.Session, id.Upstream,
		c.Name, c.GivenName, c.FamilyName, c.Email, c.Locale, s.Draft, s.IDToken,
	} {
		b = appendString(b, f)
	}
	for _, a := range id.AMR[:min(len(id.AMR), maxAMR)] {
		b = appendString(b, a)
	}
	return b
}

func decode(b []byte) (*Session, error) {
	const fixed = 3 + 3*8
	if len(b) < fixed || len(b) > maxRecord || b[0] != recordVersion || b[1] > byte(federation.LevelHoch) || b[2] > maxAMR {
		return nil, ErrRecord
	}
	s := &Session{}
	id := &s.Identity
	id.Level = federation.Level(b[1])
	for i, t := range []*time.Time{&id.AuthTime, &s.Started, &s.Seen} {
		*t = fromUnix(int64(binary.BigEndian.Uint64(b[3+8*i:])))
	}
	r := reader{lengths: b[fixed:], text: string(b[fixed:])}
	id.Issuer = federation.EntityID(r.next())
	c := &id.Claims
	for _, f := range []*string{
		&id.Subject, &id.Session, &id.Upstream,
		&c.Name, &c.GivenName, &c.FamilyName, &c.Email, &c.Locale, &s.Draft, &s.IDToken,
	} {
		*f = r.next()
	}
	for range b[2] {
		id.AMR = append(id.AMR, r.next())
	}
	if r.bad || len(r.lengths) != 0 {
		return nil, ErrRecord
	}
	return s, nil
}

// reader cuts strings out of one copy of the record.
type reader struct {
	lengths []byte
	text    string
	bad     bool
}

func (r *reader) next() string {
	if r.bad || len(r.lengths) < 4 {
		r.bad = true
		return ""
	}
	n := int64(binary.BigEndian.Uint32(r.lengths))
	if n > int64(len(r.lengths)-4) {
		r.bad = true
		return ""
	}
	v := r.text[4 : 4+n]
	r.lengths, r.text = r.lengths[4+n:], r.text[4+n:]
	return v
}

func appendString(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// unix keeps the zero time apart from 1970.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func fromUnix(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}
