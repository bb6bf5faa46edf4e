package op

import (
	"slices"
	"time"

	"rathausnetz/federation"
)

// Session limits by level: idle and absolute [SSO.md §5.1].
type limits struct{ idle, absolute time.Duration }

func limitsOf(l federation.Level) limits {
	switch {
	case l >= federation.LevelHoch:
		return limits{5 * time.Minute, 30 * time.Minute}
	case l == federation.LevelSubstanziell:
		return limits{30 * time.Minute, 2 * time.Hour}
	}
	return limits{time.Hour, 12 * time.Hour}
}

// step is what has to happen next in a login.
type step int

const (
	stepLogin   step = iota // ask for an account
	stepConfirm             // show the information page
	stepIssue               // hand out a code
)

// decide says what a valid request needs, given the session of the browser
// (nil: none). It is the whole policy of SSO.md §5 and touches nothing.
func decide(r *request, s *opSession, now time.Time) (step, *oauthError) {
	if s == nil || !s.alive(now) {
		return loginOr(r, "nobody is signed in")
	}
	switch {
	case r.Login && s.AuthTime.Before(r.begunOr(now)):
		return loginOr(r, "a fresh login was asked for")
	case r.MaxAge != nil && now.Sub(s.AuthTime) > *r.MaxAge:
		return loginOr(r, "the login is older than max_age")
	case r.Level > s.Level:
		return loginOr(r, "a higher level is needed")
	case r.Level >= federation.LevelHoch && !s.usedBy(r.Client):
		return loginOr(r, "level hoch is never taken over from another portal")
	case r.Consent || !s.confirmed(r.Client, r.Scope):
		if r.None {
			return stepConfirm, back("consent_required", "the person has not confirmed this portal yet")
		}
		return stepConfirm, nil
	}
	return stepIssue, nil
}

func loginOr(r *request, why string) (step, *oauthError) {
	if r.None {
		return stepLogin, back("login_required", "%s", why)
	}
	return stepLogin, nil
}

// opSession is a person's session at the provider. It is stored under the
// hash of the cookie's value.
type opSession struct {
	SID      string           `json:"sid"` // public: in ID tokens and logout tokens
	Person   string           `json:"person"`
	Name     string           `json:"name,omitempty"` // how the account is called on pages
	Level    federation.Level `json:"level"`
	AuthTime time.Time        `json:"auth_time"`
	Seen     time.Time        `json:"seen"`
	AMR      []string         `json:"amr"`
	Upstream string           `json:"upstream,omitempty"`
	CSRF     string           `json:"csrf"`
	Portals  []portalEntry    `json:"portals,omitempty"` // in the order of signing in
}

// portalEntry is one relying party that this session has signed in to.
type portalEntry struct {
	Client    string    `json:"client"`
	Name      string    `json:"name"`
	Sub       string    `json:"sub"`
	Logout    string    `json:"logout,omitempty"` // its back-channel logout URI
	Scope     []string  `json:"scope"`            // confirmed on the information page
	Since     time.Time `json:"since"`
	Fresh     time.Time `json:"fresh"` // AuthTime when it was last handed over
	SignedOut bool      `json:"signed_out,omitempty"`
}

func (s *opSession) alive(now time.Time) bool {
	l := limitsOf(s.Level)
	return now.Sub(s.AuthTime) < l.absolute && now.Sub(s.Seen) < l.idle && !s.AuthTime.After(now.Add(skew))
}

func (s *opSession) portal(client string) *portalEntry {
	for i := range s.Portals {
		if s.Portals[i].Client == client {
			return &s.Portals[i]
		}
	}
	return nil
}

// usedBy reports whether this very login was made for the client.
func (s *opSession) usedBy(client string) bool {
	p := s.portal(client)
	return len(s.Portals) == 0 || p != nil && p.Fresh.Equal(s.AuthTime)
}

func (s *opSession) confirmed(client string, scope []string) bool {
	p := s.portal(client)
	if p == nil {
		return false
	}
	for _, want := range scope {
		if !slices.Contains(p.Scope, want) {
			return false
		}
	}
	return true
}

// begunOr: a login that was made for this request counts as fresh; the
// interaction sets Login to false after it, so any session here is older.
func (r *request) begunOr(now time.Time) time.Time { return now.Add(time.Hour) }

// claimsOf names the claims that a scope releases [OIDC §5.4].
func claimsOf(scope []string) []string {
	var out []string
	if slices.Contains(scope, "profile") {
		out = append(out, "name", "given_name", "family_name", "locale")
	}
	if slices.Contains(scope, "email") {
		out = append(out, "email")
	}
	return out
}
