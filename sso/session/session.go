package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
)

// Session is one signed-in browser as it was at the time of Get. It is a copy;
// changing it changes nothing in the store.
type Session struct {
	Identity sso.Identity
	Started  time.Time // when this record was made: login or step-up
	Seen     time.Time // last request that was written, see Remaining
	// Draft names the form draft that the login which made this session was
	// asked to keep; "" if none. See Manager.TakeDraft.
	Draft string
	// IDToken is the provider's ID token, kept only as id_token_hint for
	// logout [RPINIT §2]. Never log it.
	IDToken string

	secret string // the cookie's value
	key    string // the store's key
}

// CSRF returns the token that forms of this session carry. It is derived from
// the cookie, changes with it and does not reveal it.
func (s *Session) CSRF() string {
	sum := sha256.Sum256([]byte("rathausnetz csrf\x00" + s.secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// CheckCSRF reports whether token belongs to this session, in constant time.
func (s *Session) CheckCSRF(token string) bool {
	return subtle.ConstantTimeCompare([]byte(s.CSRF()), []byte(token)) == 1
}

// Remaining returns how long the session lives if no further request comes,
// for "Sind Sie noch da?"; 0 if it has ended.
func (s *Session) Remaining(now time.Time) time.Duration {
	l := LimitsOf(s.Identity.Level)
	left := min(s.Seen.Add(l.Idle).Sub(now), s.end().Sub(now))
	return max(left, 0)
}

// RemainingAbsolute returns how long the session lives at most, whatever the
// person does; 0 if it has ended.
func (s *Session) RemainingAbsolute(now time.Time) time.Duration {
	return max(s.end().Sub(now), 0)
}

// end counts from the authentication, not from the hand-over: a login of this
// morning is not made younger by visiting a second portal.
func (s *Session) end() time.Time {
	from := s.Started
	if a := s.Identity.AuthTime; !a.IsZero() && a.Before(from) {
		from = a
	}
	return from.Add(LimitsOf(s.Identity.Level).Absolute)
}

// Reaches reports whether the session is good for a service that asks for
// need. A nil session reaches LevelNone only.
func (s *Session) Reaches(need federation.Level) bool {
	if s == nil {
		return need == federation.LevelNone
	}
	return s.Identity.Level >= need
}
