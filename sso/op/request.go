package op

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Limits of one authorization request.
const (
	maxParameter = 4096
	maxState     = 2048
	minVerifier  = 43 // [RFC 7636 §4.1]
	maxVerifier  = 128
)

// request is a valid authorization request [OIDC §3.1.2.1].
type request struct {
	Client    string           `json:"client"`
	Redirect  string           `json:"redirect"`
	State     string           `json:"state,omitempty"`
	Nonce     string           `json:"nonce,omitempty"`
	Challenge string           `json:"challenge"`
	Scope     []string         `json:"scope"`
	Level     federation.Level `json:"level"`               // asked for
	Essential bool             `json:"essential,omitempty"` // less than Level is an error
	MaxAge    *time.Duration   `json:"max_age,omitempty"`
	None      bool             `json:"none,omitempty"`    // prompt=none
	Login     bool             `json:"login,omitempty"`   // prompt=login
	Consent   bool             `json:"consent,omitempty"` // prompt=consent
	Hint      string           `json:"hint,omitempty"`
	Locales   string           `json:"locales,omitempty"`
}

// oauthError is an error with the standard's code. back says that it may be
// sent to the client's redirect URI, because that was validated already.
type oauthError struct {
	code, what string
	status     int // 0 means 400
	back       bool
}

func (e *oauthError) Error() string { return "op: " + e.code + ": " + e.what }

func bad(code, format string, args ...any) *oauthError {
	return &oauthError{code: code, what: fmt.Sprintf(format, args...)}
}

func back(code, format string, args ...any) *oauthError {
	return &oauthError{code: code, what: fmt.Sprintf(format, args...), back: true}
}

// validate reads the parameters of a client's request. The redirect URI is
// compared byte by byte with the registered ones before anything else is
// looked at [SSO.md §7 1]; only errors after that may go back to it. The
// returned request has Redirect and State as soon as they are valid.
func validate(c *Client, p url.Values) (*request, *oauthError) {
	for name, v := range p {
		if len(v) != 1 {
			return nil, bad("invalid_request", "parameter %.40q is given %d times", name, len(v))
		}
		if len(v[0]) > maxParameter || strings.ContainsAny(v[0], "\x00\r\n") {
			return nil, bad("invalid_request", "parameter %.40q is too long or has control characters", name)
		}
	}
	r := &request{Client: c.ID, Redirect: p.Get("redirect_uri"), State: p.Get("state"), Nonce: p.Get("nonce"), Hint: p.Get("login_hint"), Locales: p.Get("ui_locales")}
	if r.Redirect == "" {
		return nil, bad("invalid_request", "redirect_uri is missing")
	}
	if !slices.Contains(c.RedirectURIs, r.Redirect) {
		return nil, bad("invalid_request", "redirect_uri is not registered for this client")
	}
	for _, check := range []func(*request, url.Values) *oauthError{checkFlow, checkPKCE, checkScope, checkPrompt, checkLevel} {
		if err := check(r, p); err != nil {
			return r, err
		}
	}
	return r, nil
}

func checkFlow(r *request, p url.Values) *oauthError {
	switch {
	case len(r.State) > maxState || len(r.Nonce) > maxState:
		return back("invalid_request", "state or nonce is longer than %d bytes", maxState)
	case p.Get("response_type") == "":
		return back("invalid_request", "response_type is missing")
	case p.Get("response_type") != "code":
		return back("unsupported_response_type", "only code is supported")
	case p.Get("response_mode") != "" && p.Get("response_mode") != "query":
		return back("invalid_request", "only response_mode query is supported")
	case p.Has("request_uri"):
		return back("invalid_request", "a request_uri cannot stand inside a request")
	}
	return nil
}

func checkPKCE(r *request, p url.Values) *oauthError {
	r.Challenge = p.Get("code_challenge")
	switch {
	case r.Challenge == "":
		return back("invalid_request", "code_challenge is missing: PKCE is required")
	case p.Get("code_challenge_method") != "S256":
		return back("invalid_request", "code_challenge_method must be S256")
	case len(r.Challenge) != 43 || !isURLSafe(r.Challenge):
		return back("invalid_request", "code_challenge is not an S256 challenge")
	}
	return nil
}

func checkScope(r *request, p url.Values) *oauthError {
	for _, s := range strings.Fields(p.Get("scope")) {
		if !slices.Contains(r.Scope, s) && slices.Contains([]string{"openid", "profile", "email"}, s) {
			r.Scope = append(r.Scope, s)
		}
	}
	if !slices.Contains(r.Scope, "openid") {
		return back("invalid_scope", "scope must contain openid")
	}
	return nil
}

func checkPrompt(r *request, p url.Values) *oauthError {
	words := strings.Fields(p.Get("prompt"))
	for _, w := range words {
		switch w {
		case "none":
			r.None = true
		case "login", "select_account":
			r.Login = true
		case "consent":
			r.Consent = true
		default:
			return back("invalid_request", "prompt %.40q is not known", w)
		}
	}
	if r.None && len(words) > 1 {
		return back("invalid_request", "prompt none stands alone")
	}
	if s := p.Get("max_age"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return back("invalid_request", "max_age must be a number of seconds")
		}
		d := time.Duration(min(n, 1<<30)) * time.Second
		r.MaxAge = &d
	}
	return nil
}

// checkLevel reads acr_values, of which the lowest known one is enough, and
// the claims parameter, where acr may be essential [OIDC §5.5.1.1].
func checkLevel(r *request, p url.Values) *oauthError {
	wanted := strings.Fields(p.Get("acr_values"))
	if s := p.Get("claims"); s != "" {
		var c struct {
			IDToken struct {
				ACR *struct {
					Essential bool     `json:"essential"`
					Value     string   `json:"value"`
					Values    []string `json:"values"`
				} `json:"acr"`
			} `json:"id_token"`
		}
		if !json.Valid([]byte(s)) || trust.Decode([]byte(s), &c) != nil {
			return back("invalid_request", "claims is not a JSON object")
		}
		if a := c.IDToken.ACR; a != nil {
			r.Essential = a.Essential
			if a.Value != "" {
				a.Values = append(a.Values, a.Value)
			}
			if len(a.Values) > 0 {
				wanted = a.Values
			}
		}
	}
	lowest := federation.LevelNone
	for _, acr := range wanted {
		if l, err := federation.LevelOfACR(acr); err == nil && (lowest == federation.LevelNone || l < lowest) {
			lowest = l
		}
	}
	if lowest == federation.LevelNone && r.Essential && len(wanted) > 0 {
		return back("unmet_authentication_requirements", "no acr that was asked for is known here")
	}
	r.Level = max(lowest, federation.LevelBasis)
	return nil
}

func isURLSafe(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isVerifier checks the form of a PKCE verifier [RFC 7636 §4.1].
func isVerifier(s string) bool {
	return len(s) >= minVerifier && len(s) <= maxVerifier && isURLSafe(strings.NewReplacer(".", "-", "~", "-").Replace(s))
}
