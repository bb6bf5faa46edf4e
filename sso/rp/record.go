package rp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

// ErrState is wrapped when an answer belongs to no login of this browser.
var ErrState = errors.New("rp: state unknown, used, or of another browser")

// loginLife is how long a login may take: long enough to make an account at
// the provider meanwhile [SSO.md §11, 1].
const loginLife = time.Hour

const loginPrefix = "sso/rp/login/"

// record is one login on its way. The endpoints are those it began with: a
// provider that changes its metadata does not divert a running login
// [SSO.md §10 G104].
type record struct {
	Issuer   federation.EntityID `json:"iss"`
	Redirect string              `json:"redirect_uri"`
	Token    string              `json:"token_endpoint"`
	Userinfo string              `json:"userinfo_endpoint"`
	Nonce    string              `json:"nonce"`
	Verifier string              `json:"verifier"`
	Browser  string              `json:"browser"` // SHA-256 of the binding cookie
	Return   string              `json:"return"`
	Draft    string              `json:"draft,omitempty"`
	Level    federation.Level    `json:"level"`
	Fresh    bool                `json:"fresh,omitempty"`
	MaxAge   time.Duration       `json:"max_age,omitempty"` // nanoseconds
	Begun    time.Time           `json:"begun"`
}

// maxAge is how old the authentication may be: none for a fresh login, else
// what was asked for, and never more than a session of that level may become.
func (r *record) maxAge() time.Duration {
	longest := session.LimitsOf(r.Level).Absolute
	switch {
	case r.Fresh:
		return 0
	case r.MaxAge > 0:
		return min(r.MaxAge, longest)
	}
	return longest
}

func stateKey(state string) string { return loginPrefix + hash(state) }

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (r *RP) keep(ctx context.Context, state string, rec *record) error {
	b, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return r.c.Store.Create(ctx, stateKey(state), b, loginLife)
}

// find returns the login of state if it was begun by this browser. It is not
// consumed: whoever only knows the state cannot end the login.
func (r *RP) find(req *http.Request, state string) (*record, error) {
	if state == "" || len(state) > 128 {
		return nil, ErrState
	}
	b, err := r.c.Store.Get(req.Context(), stateKey(state))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrState
	}
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(b, &rec); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	c, err := req.Cookie(r.bindingName())
	if err != nil || subtle.ConstantTimeCompare([]byte(hash(c.Value)), []byte(rec.Browser)) != 1 {
		return nil, fmt.Errorf("%w: another browser", ErrState)
	}
	if r.c.Now().Sub(rec.Begun) >= loginLife {
		return nil, fmt.Errorf("%w: begun more than %s ago", ErrState, loginLife)
	}
	return &rec, nil
}

// consume makes the login used. Of many answers with one state, one wins.
func (r *RP) consume(ctx context.Context, state string) error {
	_, err := r.c.Store.Take(ctx, stateKey(state))
	if errors.Is(err, store.ErrNotFound) {
		return ErrState
	}
	return err
}

func (r *RP) bindingName() string {
	if r.c.Secure {
		return "__Host-rn-login"
	}
	return "rn-login"
}

// bind returns the value of the cookie that ties logins to this browser, and
// sets or prolongs it. Logins in two tabs share it.
func (r *RP) bind(w http.ResponseWriter, req *http.Request) string {
	value := ""
	if c, err := req.Cookie(r.bindingName()); err == nil && len(c.Value) == 43 {
		value = c.Value
	} else {
		value = provider.Random()
	}
	http.SetCookie(w, &http.Cookie{
		Name: r.bindingName(), Value: value, Path: "/", MaxAge: int(loginLife.Seconds()),
		Secure: r.c.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return value
}
