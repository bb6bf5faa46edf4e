package trust

import (
	"errors"
	"fmt"

	"rathausnetz/federation/trust/policy"
)

// The reasons for which something is not believed. Every error of Open,
// Resolve and VerifyChain wraps exactly one of them; decide with errors.Is.
var (
	ErrToken       = errors.New("trust: not a token of this profile") // size, shape, header
	ErrType        = errors.New("trust: wrong typ")                   // a token of another kind
	ErrAlgorithm   = errors.New("trust: algorithm not allowed")
	ErrKey         = errors.New("trust: key not usable") // private, without kid, doubled
	ErrUnknownKey  = errors.New("trust: kid not in the expected key set")
	ErrSignature   = errors.New("trust: signature does not verify")
	ErrClaims      = errors.New("trust: claims malformed") // not strict JSON, wrong type
	ErrExpired     = errors.New("trust: statement expired")
	ErrNotYet      = errors.New("trust: statement is from the future")
	ErrStatement   = errors.New("trust: statement breaks a rule")
	ErrFetch       = errors.New("trust: statement could not be fetched")
	ErrNotFound    = errors.New("trust: superior knows no such member") // 404 not_found of a fetch endpoint
	ErrLimit       = errors.New("trust: limit exceeded")
	ErrAddress     = errors.New("trust: address not allowed") // SSRF guard
	ErrNoAnchor    = errors.New("trust: no chain to a known trust anchor")
	ErrAnchorKeys  = errors.New("trust: trust anchor shows other keys than configured")
	ErrPolicy      = policy.ErrPolicy   // invalid_policy
	ErrMetadata    = policy.ErrMetadata // invalid_metadata
	ErrConstraint  = errors.New("trust: constraint violated")
	ErrMark        = errors.New("trust: trust mark not valid")
	ErrScope       = errors.New("trust: scope wider than the issuer's own")
	ErrNotSuperior = errors.New("trust: not from a superior")
	ErrOldNotice   = errors.New("trust: notice concerns a former membership")
	ErrPermissions = errors.New("trust: key file readable by others")
	ErrKeyFile     = errors.New("trust: key file not usable")
)

// Refusal says which statement broke which rule with which value. It unwraps
// to one of the sentinels above.
type Refusal struct {
	Statement string // e.g. "entity configuration of https://a.example"
	Rule      string // e.g. "exp [OIDF §3.1]"
	Value     string // the offending value, shortened; may be empty
	Err       error
}

// Error implements error in one line.
func (e *Refusal) Error() string {
	s := fmt.Sprintf("%v: %s, rule %s", e.Err, e.Statement, e.Rule)
	if e.Value != "" {
		s += ", value " + e.Value
	}
	return s
}

// Unwrap returns the sentinel.
func (e *Refusal) Unwrap() error { return e.Err }

// refuse builds a Refusal; v is printed with %v and shortened.
func refuse(err error, statement, rule string, v any) error {
	value := ""
	if v != nil {
		value = clip(fmt.Sprintf("%v", v))
	}
	return &Refusal{Statement: statement, Rule: rule, Value: value, Err: err}
}

// clip shortens a foreign value for messages and removes line breaks.
func clip(s string) string { return clipTo(s, 120) }

func clipTo(s string, most int) string {
	out := make([]rune, 0, min(len(s), most)+1)
	for _, r := range s {
		if len(out) == most {
			return string(append(out, '…'))
		}
		if r < ' ' || r == 0x7f {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}
