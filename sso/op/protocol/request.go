package protocol

import (
	"slices"
	"strconv"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Request is a checked authorization request.
type Request struct {
	Client      string           `json:"client"`
	RedirectURI string           `json:"redirect_uri"`
	State       string           `json:"state,omitempty"`
	Nonce       string           `json:"nonce,omitempty"`
	Challenge   string           `json:"challenge"` // S256
	Claims      []string         `json:"claims,omitempty"`
	Level       federation.Level `json:"level"`           // at least this one
	Unmet       bool             `json:"unmet,omitempty"` // an essential acr that nobody knows
	MaxAge      int64            `json:"max_age"`         // seconds; -1: not asked
	Prompt      Prompt           `json:"prompt,omitzero"`
	LoginHint   string           `json:"login_hint,omitempty"`
	Locales     string           `json:"locales,omitempty"`
	Hint        string           `json:"hint,omitempty"` // id_token_hint, unverified
	Subject     string           `json:"sub,omitempty"`  // the person asked for
	Digest      string           `json:"digest"`         // of the parameters
}

// Prompt is the prompt parameter [OIDC §3.1.2.1].
type Prompt struct {
	None, Login, Consent bool
}

// Personal are the claims this provider can release, in the order shown.
func Personal() []string { return []string{"name", "given_name", "family_name", "email", "locale"} }

// Limits of single parameters, in bytes.
const (
	maxState  = 2048
	maxNonce  = 512
	maxHint   = 254
	maxClaims = 8 << 10
)

// Check judges an authorization request of a known client. The redirect URI
// comes first: no other rule may answer before it holds [SSO.md §10 A10]. With
// a Refusal that may go Back, the Request has RedirectURI and State.
func Check(c *Client, p Params) (*Request, *Refusal) {
	q := &Request{Client: c.ID, RedirectURI: p["redirect_uri"], MaxAge: -1, Digest: digestOf(p)}
	switch {
	case q.RedirectURI == "":
		return q, refuse(InvalidRequest, "redirect_uri is missing")
	case !c.Redirects(q.RedirectURI):
		return q, refuse(InvalidRequest, "redirect_uri is not registered")
	}
	if !printable(p["state"], maxState) {
		return q, back(InvalidRequest, "state is too long or not printable")
	}
	q.State = p["state"]
	for _, rule := range []func(*Client, Params) *Refusal{q.shape, q.pkce, q.person, q.prompts, q.scope, q.level, q.claims} {
		if r := rule(c, p); r != nil {
			return q, r
		}
	}
	return q, nil
}

func digestOf(p Params) string {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(strconv.Quote(name))
		b.WriteString(strconv.Quote(p[name]))
	}
	return Digest(b.String())
}

func (q *Request) shape(_ *Client, p Params) *Refusal {
	switch {
	case p["request_uri"] != "" || p["request"] != "":
		return back(InvalidRequest, "a request inside a request")
	case p["registration"] != "":
		return back(RegistrationRefused, "registration is not supported")
	case p["response_mode"] != "" && p["response_mode"] != "query":
		return back(InvalidRequest, "response_mode must be query")
	case p["response_type"] == "":
		return back(InvalidRequest, "response_type is missing")
	case p["response_type"] != "code":
		return back(UnsupportedResponse, "response_type must be code")
	case !printable(p["nonce"], maxNonce):
		return back(InvalidRequest, "nonce is too long or not printable")
	}
	q.Nonce = p["nonce"]
	return nil
}

// pkce asks for S256, always [RFC 7636 §4.3].
func (q *Request) pkce(_ *Client, p Params) *Refusal {
	switch {
	case p["code_challenge"] == "":
		return back(InvalidRequest, "code_challenge is missing")
	case p["code_challenge_method"] != "S256":
		return back(InvalidRequest, "code_challenge_method must be S256")
	case len(p["code_challenge"]) != 43 || !base64url(p["code_challenge"]):
		return back(InvalidRequest, "code_challenge is not a SHA-256 in base64url")
	}
	q.Challenge = p["code_challenge"]
	return nil
}

func base64url(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// person reads the hints. What is no possible hint is left out, not refused.
func (q *Request) person(_ *Client, p Params) *Refusal {
	if h := p["login_hint"]; len(h) <= maxHint && !strings.ContainsFunc(h, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		q.LoginHint = h
	}
	if l := p["ui_locales"]; printable(l, 64) {
		q.Locales = l
	}
	q.Hint = p["id_token_hint"]
	return nil
}

func (q *Request) prompts(_ *Client, p Params) *Refusal {
	words := strings.Fields(p["prompt"])
	for _, w := range words {
		switch w {
		case "none":
			q.Prompt.None = true
		case "login", "select_account":
			q.Prompt.Login = true
		case "consent":
			q.Prompt.Consent = true
		default:
			return back(InvalidRequest, "unknown prompt")
		}
	}
	if q.Prompt.None && len(words) > 1 {
		return back(InvalidRequest, "prompt none goes with no other")
	}
	if s := p["max_age"]; s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			return back(InvalidRequest, "max_age is not a number of seconds")
		}
		q.MaxAge = n
	}
	return nil
}

func (q *Request) scope(c *Client, p Params) *Refusal {
	scopes := strings.Fields(p["scope"])
	if !slices.Contains(scopes, "openid") {
		return back(InvalidScope, "scope must contain openid")
	}
	if slices.Contains(scopes, "profile") {
		q.want(c, "name", "given_name", "family_name", "locale")
	}
	if slices.Contains(scopes, "email") {
		q.want(c, "email")
	}
	return nil
}

// want adds claims that the client may receive, in the order of Personal.
func (q *Request) want(c *Client, names ...string) {
	var all []string
	for _, name := range Personal() {
		asked := slices.Contains(names, name) && (c.Claims == nil || slices.Contains(c.Claims, name))
		if asked || slices.Contains(q.Claims, name) {
			all = append(all, name)
		}
	}
	q.Claims = all
}

// level reads acr_values: unknown ones do not count, and the lowest known one
// is what has to be reached.
func (q *Request) level(_ *Client, p Params) *Refusal {
	q.atLeast(strings.Fields(p["acr_values"]))
	return nil
}

func (q *Request) atLeast(acrs []string) (known bool) {
	lowest := federation.LevelNone
	for _, acr := range acrs {
		l, err := federation.LevelOfACR(acr)
		if err != nil {
			continue
		}
		if !known || l < lowest {
			lowest = l
		}
		known = true
	}
	q.Level = max(q.Level, lowest)
	return known
}

type wanted struct {
	Essential bool     `json:"essential"`
	Value     any      `json:"value"`
	Values    []string `json:"values"`
}

// claims reads the claims parameter [OIDC §5.5]. Personal data are released by
// userinfo whatever part they were asked in.
func (q *Request) claims(c *Client, p Params) *Refusal {
	raw := p["claims"]
	if raw == "" {
		return nil
	}
	var v struct {
		IDToken  map[string]*wanted `json:"id_token"`
		Userinfo map[string]*wanted `json:"userinfo"`
	}
	if len(raw) > maxClaims || trust.Decode([]byte(raw), &v) != nil {
		return back(InvalidRequest, "claims is not a claims request")
	}
	for _, part := range []map[string]*wanted{v.IDToken, v.Userinfo} {
		for name, w := range part {
			q.want(c, name)
			if sub, ok := value(w); name == "sub" && ok {
				q.Subject = sub
			}
		}
	}
	if w := v.IDToken["acr"]; w != nil {
		acrs := w.Values
		if one, ok := value(w); ok {
			acrs = append(acrs, one)
		}
		known := q.atLeast(acrs)
		q.Unmet = w.Essential && len(acrs) > 0 && !known
	}
	return nil
}

func value(w *wanted) (string, bool) {
	if w == nil {
		return "", false
	}
	s, ok := w.Value.(string)
	return s, ok && s != ""
}
