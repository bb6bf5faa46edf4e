package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation/trust"
)

// AssertionType is the typ of our client assertions.
const AssertionType = "JWT"

// assertionLife is how long a client assertion is valid [SSO.md §10 C34].
const assertionLife = time.Minute

// Config says who we are to the providers. One Client may serve many of them.
type Config struct {
	HTTP     *http.Client // required; carries the address guard
	ClientID string       // required; for members the entity ID
	// Key returns the key that signs at now, for private_key_jwt [OIDC §9].
	Key      func(now time.Time) *trust.Key
	Secret   string           // client_secret_basic, only without Key
	Loopback bool             // plain http on loopback names is accepted
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: discard
}

// Client talks to providers as one client. It is safe for concurrent use.
type Client struct {
	c    Config
	http *http.Client

	mu   sync.Mutex // guards sets
	sets map[string]*keySet
}

// New checks the configuration. It does no I/O.
func New(c Config) (*Client, error) {
	if c.HTTP == nil || c.ClientID == "" {
		return nil, errors.New("provider: Config.HTTP and Config.ClientID are needed")
	}
	if (c.Key == nil) == (c.Secret == "") {
		return nil, errors.New("provider: either Config.Key or Config.Secret is needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h := *c.HTTP
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{c: c, http: &h, sets: map[string]*keySet{}}, nil
}

// Tokens is what a code was redeemed for. Neither value may be logged.
type Tokens struct {
	Access string
	ID     string
}

// Push sends an authorization request to the provider beforehand and returns
// its request_uri [RFC 9126 §2]. form is not changed; client_id and the
// authentication are added. Errors: *OAuthError, ErrUnreachable, ErrAnswer.
func (c *Client) Push(ctx context.Context, m *Metadata, form url.Values) (string, error) {
	a, err := c.post(ctx, m, m.PAREndpoint, form)
	if err != nil {
		return "", err
	}
	if a.status != http.StatusCreated && a.status != http.StatusOK {
		return "", refused("par", a)
	}
	var v struct {
		RequestURI string  `json:"request_uri"`
		ExpiresIn  float64 `json:"expires_in"`
	}
	if err := trust.Decode(a.body, &v); err != nil || !a.isJSON() {
		return "", fmt.Errorf("%w: par endpoint of %s", ErrAnswer, m.Issuer)
	}
	if v.RequestURI == "" || len(v.RequestURI) > maxURL || v.ExpiresIn <= 0 {
		return "", fmt.Errorf("%w: par endpoint of %s gave no request_uri", ErrAnswer, m.Issuer)
	}
	return v.RequestURI, nil
}

// Redeem exchanges a code for tokens [OIDC §3.1.3]. Errors: *OAuthError,
// ErrUnreachable, ErrAnswer. It is never repeated: a code works once.
func (c *Client) Redeem(ctx context.Context, m *Metadata, code, redirectURI, verifier string) (*Tokens, error) {
	a, err := c.post(ctx, m, m.TokenEndpoint, url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {redirectURI}, "code_verifier": {verifier},
	})
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, refused("token", a)
	}
	var v struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
		ID     string `json:"id_token"`
	}
	if err := trust.Decode(a.body, &v); err != nil || !a.isJSON() {
		return nil, fmt.Errorf("%w: token endpoint of %s", ErrAnswer, m.Issuer)
	}
	if v.Access == "" || v.ID == "" || !strings.EqualFold(v.Type, "Bearer") {
		return nil, fmt.Errorf("%w: token endpoint of %s gave no bearer and ID token", ErrAnswer, m.Issuer)
	}
	return &Tokens{Access: v.Access, ID: v.ID}, nil
}

// post sends form with the client's authentication.
func (c *Client) post(ctx context.Context, m *Metadata, endpoint string, form url.Values) (*answer, error) {
	f := url.Values{"client_id": {c.c.ClientID}}
	for k, v := range form {
		f[k] = v
	}
	if c.c.Key != nil {
		a, err := c.assertion(m)
		if err != nil {
			return nil, err
		}
		f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		f.Set("client_assertion", a)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(f.Encode()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.c.Key == nil {
		// RFC 6749 §2.3.1: both parts are form-encoded first.
		req.SetBasicAuth(url.QueryEscape(c.c.ClientID), url.QueryEscape(c.c.Secret))
	}
	return c.do(req)
}

// assertion is made anew for every request. Its audience is the issuer, as one
// string, so that no provider can use it at another one [SSO.md §7].
func (c *Client) assertion(m *Metadata) (string, error) {
	now := c.c.Now()
	var header map[string]any
	if len(m.TrustChain) > 0 {
		header = map[string]any{"trust_chain": m.TrustChain}
	}
	return trust.SignWith(c.c.Key(now), AssertionType, header, map[string]any{
		"iss": c.c.ClientID, "sub": c.c.ClientID, "aud": m.Issuer,
		"jti": Random(), "iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
}

func refused(endpoint string, a *answer) error {
	e := &OAuthError{Endpoint: endpoint, Status: a.status}
	var v struct {
		Code string `json:"error"`
	}
	if a.isJSON() && trust.Decode(a.body, &v) == nil {
		e.Code = ErrorCode(v.Code)
	}
	return e
}

// WithQuery adds parameters to an endpoint that may have some of its own.
func WithQuery(endpoint string, add url.Values) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	q := u.Query()
	for k, v := range add {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// ErrorCode returns s if it has the shape of an OAuth error code, else "": only
// then may it be shown or logged.
func ErrorCode(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && c != '_' {
			return ""
		}
	}
	return s
}

// Random returns 32 random bytes in base64url: state, nonce, PKCE verifier, jti.
func Random() string {
	var b [32]byte
	// crypto/rand.Read never fails since Go 1.24; it ends the process instead.
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Challenge returns the S256 code challenge of a verifier [RFC 7636 §4.2].
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
