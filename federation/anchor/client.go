package anchor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// ClientConfig configures the joining side.
type ClientConfig struct {
	Self          federation.EntityID
	Keys          func() *trust.Keys
	HTTP          *http.Client
	AllowLoopback bool
	Now           func() time.Time
}

// Client is what a member does with its hub. It is safe for concurrent use.
type Client struct {
	cfg  ClientConfig
	http *http.Client
}

// NewClient checks the configuration; it does no I/O.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Self == "" || cfg.Keys == nil || cfg.HTTP == nil {
		return nil, fmt.Errorf("%w: entity ID, keys and HTTP client are required", ErrConfig)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: cfg, http: &client}, nil
}

// Ticket is what a member knows about its hub: keep it in the node's state.
type Ticket struct {
	Hub         federation.EntityID `json:"hub"`
	HubKeys     trust.JWKS          `json:"hub_keys"` // compared with the code
	TrustAnchor federation.EntityID `json:"trust_anchor"`
	AnchorKeys  trust.JWKS          `json:"trust_anchor_keys"` // the hub vouches for them
	Words       []string            `json:"words"`             // own fingerprint, to read aloud to the hub
}

// Join compares the hub's key with the code, and only then sends the secret.
// The own entity configuration must be reachable at its public address. Errors
// wrap ErrFingerprint, ErrCodeUsed, ErrCodeExpired, ErrCodeUnknown, ErrControl,
// ErrMember or ErrHub.
func (c *Client) Join(ctx context.Context, code Code) (Ticket, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*fetchTimeout)
	defer cancel()
	hub, err := c.configuration(ctx, code.Hub)
	if err != nil {
		return Ticket{}, err
	}
	t, err := trust.Peek(hub.Compact, trust.TypeStatement)
	if err != nil {
		return Ticket{}, fmt.Errorf("%w: %w", ErrHub, err)
	}
	print, err := hub.Keys.Fingerprint(t.Header.KeyID)
	if err != nil || subtle.ConstantTimeCompare(print[:fingerprintBytes], code.Fingerprint) == 0 {
		return Ticket{}, fmt.Errorf("%s: %w", code.Hub, ErrFingerprint)
	}
	ticket := Ticket{Hub: code.Hub, HubKeys: hub.Keys, Words: c.words()}
	answer, err := c.ask(ctx, ticket, typeJoin, base64.RawURLEncoding.EncodeToString(code.Secret))
	if err != nil {
		return Ticket{}, err
	}
	ticket.TrustAnchor, ticket.AnchorKeys = answer.TrustAnchor, answer.AnchorKeys
	return ticket, nil
}

func (c *Client) words() []string {
	if k := c.cfg.Keys(); k != nil && len(k.Federation) > 0 {
		return k.Federation[0].Public().Words()
	}
	return nil
}

func (c *Client) configuration(ctx context.Context, id federation.EntityID) (*trust.Statement, error) {
	compact, err := trust.FetchConfiguration(ctx, c.http, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHub, err)
	}
	s, err := trust.OpenConfiguration(compact, id, c.cfg.AllowLoopback, c.cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHub, err)
	}
	return s, nil
}

// ask sends a signed request to the join endpoint and verifies the answer.
func (c *Client) ask(ctx context.Context, t Ticket, typ, secret string) (joinAnswer, error) {
	var out joinAnswer
	body, err := c.post(ctx, t, pathJoin, typ, requestClaims{Secret: secret})
	if err != nil {
		return out, err
	}
	tok, err := trust.Open(string(body), typeAnswer, t.HubKeys)
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrHub, err)
	}
	if err := errors.Join(tok.Check(c.cfg.Now()), tok.Into(&out)); err != nil {
		return out, fmt.Errorf("%w: %w", ErrHub, err)
	}
	if out.Issuer != t.Hub || out.Audience != c.cfg.Self {
		return out, fmt.Errorf("%w: the answer is for somebody else", ErrHub)
	}
	return out, nil
}

// post signs a request and returns the body of a 200 answer.
func (c *Client) post(ctx context.Context, t Ticket, path, typ string, claims requestClaims) ([]byte, error) {
	keys := c.cfg.Keys()
	if keys == nil || len(keys.Federation) == 0 {
		return nil, fmt.Errorf("%w: no federation key", ErrConfig)
	}
	now := c.cfg.Now()
	claims.Issuer, claims.Audience, claims.ID = c.cfg.Self, t.Hub, rand.Text()
	claims.IssuedAt, claims.Expires = trust.At(now), trust.At(now.Add(requestLife))
	compact, err := trust.Sign(keys.Federation[0], typ, claims)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Hub.URL(path), strings.NewReader(compact))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHub, err)
	}
	req.Header.Set("Content-Type", "application/"+typ)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHub, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxRequest))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHub, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %w", t.Hub, errorOf(res.StatusCode, body))
	}
	return bytes.TrimSpace(body), nil
}

// Poll asks whether the request was approved: nil, ErrNotApproved, ErrRefused
// or ErrNotMember (suspended, revoked or unknown), each with the hub's reason.
func (c *Client) Poll(ctx context.Context, t Ticket) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	answer, err := c.ask(ctx, t, typeStatus, "")
	if err != nil {
		return err
	}
	switch answer.State {
	case StateActive:
		return nil
	case StatePending:
		return ErrNotApproved
	case StateRefused:
		return fmt.Errorf("%w: %s", ErrRefused, answer.Reason)
	}
	return fmt.Errorf("%w: %s", ErrNotMember, answer.State)
}

// Renew returns the ticket with the hub's present keys: those its entity
// configuration shows, signed with a key that is known already.
func (c *Client) Renew(ctx context.Context, t Ticket) (Ticket, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	hub, err := c.configuration(ctx, t.Hub)
	if err != nil {
		return t, err
	}
	if _, err := trust.Open(hub.Compact, trust.TypeStatement, t.HubKeys); err != nil {
		return t, fmt.Errorf("%s: %w: %w", t.Hub, ErrFingerprint, err)
	}
	t.HubKeys = hub.Keys
	if t.TrustAnchor == t.Hub {
		t.AnchorKeys = hub.Keys
	}
	return t, nil
}

// FetchMark gets a fresh membership mark and verifies it with the hub's keys.
// Ask again at half its life, or when a notice names this member.
func (c *Client) FetchMark(ctx context.Context, t Ticket) (trust.MarkRef, trust.MarkClaims, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	typ := trust.MarkType(t.TrustAnchor)
	q := url.Values{"sub": {string(c.cfg.Self)}, "trust_mark_type": {typ}}
	compact, err := trust.FetchToken(ctx, c.http, t.Hub.URL(pathMark)+"?"+q.Encode(), trust.TypeMark)
	if errors.Is(err, trust.ErrNotFound) {
		return trust.MarkRef{}, trust.MarkClaims{}, fmt.Errorf("%s: %w", t.Hub, ErrNotMember)
	}
	if err != nil {
		return trust.MarkRef{}, trust.MarkClaims{}, fmt.Errorf("%w: %w", ErrHub, err)
	}
	claims, err := trust.OpenMark(compact, t.HubKeys, c.cfg.Now())
	if err != nil {
		return trust.MarkRef{}, claims, fmt.Errorf("%w: %w", ErrHub, err)
	}
	if claims.Subject != c.cfg.Self || claims.Issuer != t.Hub || claims.Type != typ {
		return trust.MarkRef{}, claims, fmt.Errorf("%w: the mark is for %s", ErrHub, claims.Subject)
	}
	return trust.MarkRef{Type: typ, Mark: compact}, claims, nil
}

// FetchGossipKeys gets the gossip keys, primary first, and when to ask again.
func (c *Client) FetchGossipKeys(ctx context.Context, t Ticket) (keys [][]byte, again time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	body, err := c.post(ctx, t, pathGossipKeys, typeGossipKeys, requestClaims{})
	if err != nil {
		return nil, 0, err
	}
	var out gossipAnswer
	if err := trust.Decode(body, &out); err != nil || len(out.Keys) == 0 || len(out.Keys) > maxGossipKeys {
		return nil, 0, fmt.Errorf("%w: gossip keys", ErrHub)
	}
	for _, k := range out.Keys {
		if len(k) != gossipKeyBytes {
			return nil, 0, fmt.Errorf("%w: gossip key of %d bytes", ErrHub, len(k))
		}
	}
	return out.Keys, min(max(time.Duration(out.Again)*time.Second, time.Second), gossipPoll), nil
}
