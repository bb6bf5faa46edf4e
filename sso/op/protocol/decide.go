package protocol

import (
	"slices"
	"time"

	"rathausnetz/federation"
)

// Limits returns how long a session of a level lives since the person
// authenticated, and since it was last used: BSI TR-03160-1 as BundID applies
// it [SSO.md §5]. Levels below niedrig share its limits.
func Limits(l federation.Level) (absolute, idle time.Duration) {
	switch {
	case l >= federation.LevelHoch:
		return 30 * time.Minute, 5 * time.Minute
	case l == federation.LevelSubstanziell:
		return 2 * time.Hour, 30 * time.Minute
	}
	return 12 * time.Hour, time.Hour
}

// Alive reports whether a session of level l lives at now.
func Alive(l federation.Level, auth, seen, now time.Time) bool {
	absolute, idle := Limits(l)
	return now.Sub(auth) < absolute && now.Sub(seen) < idle
}

// State is what is known when a request is decided.
type State struct {
	// Level the session can be reused at; none: no session, or one that a
	// login of level hoch made.
	Level    federation.Level
	AuthTime time.Time // of that level
	Subject  string    // the session's person at this client, "" without session
	Asked    string    // the person asked for, by hint or claim; "" = any

	Fresh      bool             // signed in for this very request
	FreshLevel federation.Level // at this level
	Granted    []string         // claims confirmed for this client in this session
	Known      bool             // the client was confirmed in this session
	Confirmed  bool             // the information page was confirmed for this very request
	Reachable  federation.Level // the highest level any source of accounts can give
	Available  []string         // claims the person has; others need no confirmation
}

// Step is what comes next.
type Step int

// The steps of a request.
const (
	Login   Step = iota // ask for an account
	Confirm             // show the information page
	Issue               // hand out a code
	Refuse              // say no
)

// Decision is a Step with what it needs.
type Decision struct {
	Step    Step
	Refusal *Refusal         // Refuse
	StepUp  bool             // Login: signed in already, not at this level
	Level   federation.Level // Issue and Confirm: what the code will vouch for
}

// Decide applies the sign-on policy [SSO.md §5]: a session serves requests up
// to its level and up to substanziell; hoch is always asked for anew; the
// information page comes once per client and session; prompt none never shows
// a page.
func Decide(q *Request, s State, now time.Time) Decision {
	if q.Unmet || q.Level > s.Reachable {
		return no(UnmetRequirements, "no source of accounts gives this level")
	}
	level := s.Level
	if s.Fresh {
		level = s.FreshLevel
	}
	stranger := s.Asked != "" && s.Asked != s.Subject
	if s.Fresh {
		switch {
		case level < q.Level:
			return no(UnmetRequirements, "signed in below the level asked for")
		case stranger:
			return no(LoginRequired, "another person signed in than asked for")
		}
	} else if level == federation.LevelNone || stranger || level < q.Level || q.mustLogin(s, now) {
		if q.Prompt.None {
			return no(LoginRequired, "not signed in as asked")
		}
		return Decision{Step: Login, StepUp: level != federation.LevelNone && level < q.Level}
	}
	confirmed := s.Known && covers(s.Granted, q.Claims, s.Available)
	if !confirmed || q.Prompt.Consent && !s.Confirmed {
		if q.Prompt.None {
			return no(ConsentRequired, "the information page was not confirmed")
		}
		return Decision{Step: Confirm, Level: level}
	}
	return Decision{Step: Issue, Level: level}
}

func no(code, why string) Decision { return Decision{Step: Refuse, Refusal: back(code, why)} }

func (q *Request) mustLogin(s State, now time.Time) bool {
	if q.Prompt.Login || q.Level >= federation.LevelHoch || s.Level >= federation.LevelHoch {
		return true
	}
	// max_age 0 asks for a login like prompt=login [OIDC §3.1.2.1].
	return q.MaxAge >= 0 && (q.MaxAge == 0 || now.Sub(s.AuthTime) > time.Duration(min(q.MaxAge, 1<<31))*time.Second)
}

// covers reports whether every claim that is wanted and there was granted.
func covers(granted, wanted, available []string) bool {
	for _, name := range wanted {
		if slices.Contains(available, name) && !slices.Contains(granted, name) {
			return false
		}
	}
	return true
}
