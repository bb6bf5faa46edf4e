package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rathausnetz/federation/trust"
)

const (
	logoutType  = "logout+jwt"
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// LogoutMaxAge is how old a logout token may be: a provider repeats a message
// that was not received for some minutes. A jti has to be remembered at least
// this long.
const LogoutMaxAge = 10 * time.Minute

// LogoutToken is a verified logout token. Whether its ID is new the caller
// finds out, after this.
type LogoutToken struct {
	Issuer string
	SID    string
	ID     string // jti
}

type logoutClaims struct {
	Issuer   string                     `json:"iss"`
	Subject  string                     `json:"sub"`
	Audience audience                   `json:"aud"`
	IssuedAt *trust.Seconds             `json:"iat"`
	ID       string                     `json:"jti"`
	SID      string                     `json:"sid"`
	Events   map[string]json.RawMessage `json:"events"`
	Nonce    *json.RawMessage           `json:"nonce"`
}

// LogoutIssuer reads the issuer of a logout token WITHOUT VERIFYING IT, to
// learn whose keys to ask for.
func LogoutIssuer(raw string) (string, error) {
	t, err := trust.Door{Algorithms: asymmetric[:], MaxBytes: maxTokenSize}.Peek(raw, []string{logoutType})
	if err != nil {
		return "", fmt.Errorf("logout token: %w", err)
	}
	var v logoutClaims
	if err := t.Into(&v); err != nil {
		return "", fmt.Errorf("logout token: %w", err)
	}
	if v.Issuer == "" {
		return "", fmt.Errorf("logout token: %w", ErrIssuer)
	}
	return v.Issuer, nil
}

// LogoutToken verifies a logout token [BCLOGOUT §2.6]: typ
// logout+jwt, signature as for ID tokens, iss, aud with nobody but us, iat, exp,
// jti, the logout event with an object as value, no nonce, and a sid, because
// we register backchannel_logout_session_required.
func (c *Client) LogoutToken(ctx context.Context, m *Metadata, raw string) (*LogoutToken, error) {
	t, err := c.open(ctx, m, raw, []string{logoutType})
	if err != nil {
		return nil, fmt.Errorf("logout token: %w", err)
	}
	var v logoutClaims
	if err := t.Into(&v); err != nil {
		return nil, fmt.Errorf("logout token: %w", err)
	}
	if err := c.checkParties(m, t, v.Issuer, v.Audience); err != nil {
		return nil, fmt.Errorf("logout token: %w", err)
	}
	if err := v.checkEvent(); err != nil {
		return nil, fmt.Errorf("logout token: %w", err)
	}
	if _, err := c.verifier(m, t).VerifyLogout(ctx, raw); err != nil {
		return nil, fmt.Errorf("logout token: %w: %w", ErrClaim, err)
	}
	switch {
	case v.SID == "" || !plain(v.SID):
		return nil, fmt.Errorf("logout token: %w", ErrSID)
	case v.ID == "" || !plain(v.ID) || !plain(v.Subject):
		return nil, fmt.Errorf("logout token: %w: jti or sub malformed", ErrClaim)
	case !recent(v.IssuedAt, c.c.Now(), LogoutMaxAge):
		return nil, fmt.Errorf("logout token: %w", ErrIssuedAt)
	}
	return &LogoutToken{Issuer: v.Issuer, SID: v.SID, ID: v.ID}, nil
}

func (v *logoutClaims) checkEvent() error {
	if v.Nonce != nil {
		return fmt.Errorf("%w: it has a nonce", ErrEvent)
	}
	e, there := v.Events[logoutEvent]
	if !there {
		return ErrEvent
	}
	if err := trust.CheckJSON(e); err != nil {
		return fmt.Errorf("%w: the event's value must be an object", ErrEvent)
	}
	return nil
}
