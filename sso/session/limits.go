package session

import (
	"time"

	"rathausnetz/federation"
)

// Limits say how long a session lives.
type Limits struct {
	Absolute time.Duration // since the person authenticated
	Idle     time.Duration // since the last request
}

// LimitsOf returns the limits of a level: BSI TR-03160-1 as BundID applies it
// [SSO.md §5]. Levels below niedrig share its limits.
func LimitsOf(l federation.Level) Limits {
	switch {
	case l >= federation.LevelHoch:
		return Limits{Absolute: 30 * time.Minute, Idle: 5 * time.Minute}
	case l == federation.LevelSubstanziell:
		return Limits{Absolute: 2 * time.Hour, Idle: 30 * time.Minute}
	default:
		return Limits{Absolute: maxAbsolute, Idle: time.Hour}
	}
}

// maxAbsolute is the longest life any session has.
const maxAbsolute = 12 * time.Hour

// touchShare: the time of the last request is written only when at least this
// share of the idle limit has passed, so that a page costs no write. A session
// may end that much early, never late.
const touchShare = 60
