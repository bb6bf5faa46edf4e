package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation/trust"
)

// The types of signed objects.
const (
	AssertionURN  = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	typRequest    = "oauth-authz-req+jwt" // [RFC 9101 §10.8]
	typAssertion  = "client-authentication+jwt"
	typLogout     = "logout+jwt"
	typIDToken    = "JWT"
	maxObjectLife = 5 * time.Minute
	maxJTI        = 256
	maxObject     = 256 << 10 // a trust_chain header carries whole statements
)

// TypLogout and TypIDToken are the typ of what this provider signs.
const (
	TypLogout  = typLogout
	TypIDToken = typIDToken
)

// Used is the name of a one-time object: it may be used until Expires and must
// be recorded until then, after every other check [SSO.md §4].
type Used struct {
	JTI     string
	Expires time.Time
}

// foreignAlgs is what static clients may sign with; members use ES256.
var foreignAlgs = [...]string{"ES256", "ES384", "PS256", "RS256", "EdDSA"}

func door(c *Client) trust.Door {
	d := trust.Door{MaxBytes: maxObject}
	if !c.Federated {
		d.Algorithms = foreignAlgs[:]
	}
	return d
}

// objectClaims are those of client assertions and request objects.
type objectClaims struct {
	Issuer   string          `json:"iss"`
	Subject  *string         `json:"sub"`
	Audience json.RawMessage `json:"aud"`
	JTI      string          `json:"jti"`
	Expires  *trust.Seconds  `json:"exp"`
	ClientID string          `json:"client_id"`
}

// Assertion checks a private_key_jwt client assertion [RFC 7523 §3]: signed
// with a protocol key of the client, iss and sub are the client, aud is the
// issuer as one string and nothing else, exp at most five minutes ahead.
func Assertion(c *Client, compact, issuer string, now time.Time) (Used, *Refusal) {
	t, err := door(c).Open(compact, []string{typIDToken, typAssertion, ""}, c.Keys)
	if err != nil {
		return Used{}, refuse(InvalidClient, "client assertion: "+reason(err))
	}
	v, used, err := object(t, issuer, now)
	switch {
	case err != nil:
		return Used{}, refuse(InvalidClient, "client assertion: "+err.Error())
	case v.Issuer != c.ID || v.Subject == nil || *v.Subject != c.ID:
		return Used{}, refuse(InvalidClient, "client assertion: iss and sub must be the client")
	}
	return used, nil
}

// Object checks a signed request object [RFC 9101], [OIDF §12.1.1] and returns
// its parameters: nothing outside of it counts. sub must not be there, or the
// object could be replayed as a client assertion.
func Object(c *Client, compact, issuer string, now time.Time) (Params, Used, *Refusal) {
	bad := func(why string) (Params, Used, *Refusal) {
		return nil, Used{}, refuse(InvalidRequestObject, "request object: "+why)
	}
	t, err := door(c).Open(compact, []string{typRequest, typIDToken, ""}, c.Keys)
	if err != nil {
		return bad(reason(err))
	}
	v, used, err := object(t, issuer, now)
	switch {
	case err != nil:
		return bad(err.Error())
	case v.Issuer != c.ID || v.ClientID != c.ID:
		return bad("iss and client_id must be the client")
	case v.Subject != nil:
		return bad("sub must not be there")
	}
	p, err := members(t.Claims)
	if err != nil {
		return bad(err.Error())
	}
	if p["request"] != "" || p["request_uri"] != "" {
		return nil, Used{}, refuse(InvalidRequest, "a request inside a request object")
	}
	return p, used, nil
}

// object makes the checks common to both.
func object(t *trust.Token, issuer string, now time.Time) (v objectClaims, u Used, err error) {
	if err := t.Into(&v); err != nil {
		return v, u, errors.New("claims have the wrong type")
	}
	// A string, never a list: an assertion for several audiences can be used
	// by each of them at the others [SSO.md §7].
	var aud string
	if json.Unmarshal(v.Audience, &aud) != nil || aud != issuer {
		return v, u, errors.New("aud must be this issuer, as one string")
	}
	if err := t.Check(now); err != nil {
		return v, u, errors.New(reason(err))
	}
	exp := v.Expires.Time()
	if exp.Sub(now) > maxObjectLife {
		return v, u, fmt.Errorf("exp is more than %v ahead", maxObjectLife)
	}
	if v.JTI == "" || len(v.JTI) > maxJTI {
		return v, u, errors.New("jti is missing or too long")
	}
	return v, Used{JTI: v.JTI, Expires: exp}, nil
}

// reason names the rule without repeating foreign text.
func reason(err error) string {
	for _, known := range []error{
		trust.ErrToken, trust.ErrType, trust.ErrAlgorithm, trust.ErrUnknownKey, trust.ErrSignature,
		trust.ErrClaims, trust.ErrExpired, trust.ErrNotYet,
	} {
		if errors.Is(err, known) {
			return strings.TrimPrefix(known.Error(), "trust: ")
		}
	}
	return "not readable"
}

// members turns the members of a request object into parameters: strings as
// they are, numbers and objects as their JSON.
func members(claims []byte) (Params, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(claims, &all); err != nil || len(all) > maxCount {
		return nil, errors.New("too many members")
	}
	p := make(Params, len(all))
	for name, raw := range all {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		if len(s) > maxValue {
			return nil, errors.New("a member is too long")
		}
		if s != "" && s != "null" {
			p[name] = s
		}
	}
	return p, nil
}
