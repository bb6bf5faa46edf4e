package provider

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"rathausnetz/federation/trust"
)

const (
	clockSkew = 60 * time.Second // how far ahead another clock may be [SSO.md §10 J148]
	idMaxAge  = 10 * time.Minute // an ID token comes fresh from the token endpoint
	maxText   = 255              // characters of sub, sid, acr and the like
)

// Want is what an ID token has to match.
type Want struct {
	Nonce       string // required
	AccessToken string // for at_hash
	// NotBefore is the earliest auth_time that is good enough; zero: any. A
	// minute of skew is granted.
	NotBefore time.Time
}

// IDToken is a verified ID token.
type IDToken struct {
	Subject  string
	SID      string // "" if the provider has no session IDs
	ACR      string // as it was sent; what it is worth the caller decides
	AMR      []string
	AuthTime time.Time // zero if it was not sent
	Upstream string    // account source, a claim of this network
	Raw      string
}

type idClaims struct {
	Issuer   string         `json:"iss"`
	Subject  string         `json:"sub"`
	Audience audience       `json:"aud"`
	Azp      *string        `json:"azp"`
	IssuedAt *trust.Seconds `json:"iat"`
	Nonce    string         `json:"nonce"`
	AuthTime *trust.Seconds `json:"auth_time"`
	ACR      string         `json:"acr"`
	AMR      []string       `json:"amr"`
	SID      string         `json:"sid"`
	Upstream string         `json:"upstream"`
}

// IDToken verifies an ID token [OIDC §3.1.3.7]: typ JWT or none, kid required,
// signature by one of the provider's keys, iss, aud with nobody but us, azp,
// exp, nbf, iat at most 10 minutes old, nonce, at_hash and auth_time. Every
// refusal wraps one of the errors of this package or of federation/trust.
func (c *Client) IDToken(ctx context.Context, m *Metadata, raw string, want Want) (*IDToken, error) {
	t, err := c.open(ctx, m, raw, []string{"JWT", ""})
	if err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	var v idClaims
	if err := t.Into(&v); err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	if err := c.checkParties(m, t, v.Issuer, v.Audience); err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	parsed, err := c.verifier(m, t).Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("ID token: %w: %w", ErrClaim, err)
	}
	if err := v.check(c.c.ClientID, want, c.c.Now()); err != nil {
		return nil, fmt.Errorf("ID token: %w", err)
	}
	if parsed.AccessTokenHash != "" {
		if err := parsed.VerifyAccessToken(want.AccessToken); err != nil {
			return nil, fmt.Errorf("ID token: %w", ErrAtHash)
		}
	}
	out := &IDToken{Subject: v.Subject, SID: v.SID, ACR: v.ACR, AMR: v.AMR, Upstream: v.Upstream, Raw: raw}
	if v.AuthTime != nil {
		out.AuthTime = v.AuthTime.Time()
	}
	return out, nil
}

// check is the part that go-oidc leaves to its caller.
func (v *idClaims) check(clientID string, want Want, now time.Time) error {
	switch {
	case !plain(v.Subject) || v.Subject == "":
		return ErrSubject
	case v.Azp != nil && *v.Azp != clientID:
		return ErrAzp
	case want.Nonce == "" || subtle.ConstantTimeCompare([]byte(v.Nonce), []byte(want.Nonce)) != 1:
		return ErrNonce
	case !recent(v.IssuedAt, now, idMaxAge):
		return ErrIssuedAt
	case !plain(v.SID) || !plain(v.ACR) || !plain(v.Upstream) || len(v.AMR) > 16:
		return fmt.Errorf("%w: sid, acr, amr or upstream malformed", ErrClaim)
	}
	for _, a := range v.AMR {
		if !plain(a) {
			return fmt.Errorf("%w: amr malformed", ErrClaim)
		}
	}
	if v.AuthTime == nil {
		if !want.NotBefore.IsZero() {
			return fmt.Errorf("%w: absent", ErrAuthTime)
		}
		return nil
	}
	at := v.AuthTime.Time()
	if at.After(now.Add(clockSkew)) || at.Before(want.NotBefore.Add(-clockSkew)) {
		return ErrAuthTime
	}
	return nil
}

// checkParties refuses a token of another issuer, for another or for one more
// audience, or outside its times.
func (c *Client) checkParties(m *Metadata, t *trust.Token, issuer string, aud audience) error {
	if issuer != m.Issuer {
		return ErrIssuer
	}
	if len(aud) != 1 || aud[0] != c.c.ClientID {
		return ErrAudience
	}
	return t.Check(c.c.Now())
}

// verifier is go-oidc over a token whose signature is already verified.
func (c *Client) verifier(m *Metadata, t *trust.Token) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(m.Issuer, opened{t}, &oidc.Config{
		ClientID: c.c.ClientID, SupportedSigningAlgs: m.algorithms(), Now: c.c.Now,
	})
}

// opened hands the claims of a verified token to go-oidc, of that token only.
type opened struct{ t *trust.Token }

// VerifySignature implements oidc.KeySet.
func (o opened) VerifySignature(_ context.Context, jwt string) ([]byte, error) {
	if jwt != o.t.Compact {
		return nil, errors.New("provider: another token than the verified one")
	}
	return o.t.Claims, nil
}

// recent reports whether at is there, at most a minute ahead and at most age old.
func recent(at *trust.Seconds, now time.Time, age time.Duration) bool {
	if at == nil {
		return false
	}
	t := at.Time()
	return !t.After(now.Add(clockSkew)) && !t.Before(now.Add(-age))
}

// plain reports whether s is printable ASCII of at most maxText bytes.
func plain(s string) bool {
	if len(s) > maxText {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// audience is aud: one string or an array of strings [RFC 7519 §4.1.3].
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		if err := json.Unmarshal(b, &one); err != nil {
			return err
		}
		*a = audience{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	*a = list
	return nil
}
