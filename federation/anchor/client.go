package anchor

import (
	"context"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// ClientConfig configures the joining side.
type ClientConfig struct {
	Self federation.EntityID
	Keys func() *trust.Keys
	HTTP *http.Client
	Now  func() time.Time
}

// Client is what a member does with its hub. It is safe for concurrent use.
type Client struct{ cfg ClientConfig }

// NewClient checks the configuration.
func NewClient(cfg ClientConfig) (*Client, error) { return &Client{cfg: cfg}, nil }

// Ticket is what Join gives back: keep it in the node's state.
type Ticket struct {
	Hub         federation.EntityID `json:"hub"`
	TrustAnchor federation.EntityID `json:"trust_anchor"`
	HubKeys     trust.JWKS          `json:"hub_keys"` // checked against the code
	Words       []string            `json:"words"`    // own fingerprint, to read aloud to the hub
}

// Join compares the hub's key with the code, and only then sends the secret.
func (c *Client) Join(ctx context.Context, code Code) (Ticket, error) { return Ticket{}, ErrHub }

// Poll asks whether the request was approved: nil, ErrNotApproved, ErrRefused
// or ErrNotMember.
func (c *Client) Poll(ctx context.Context, t Ticket) error { return ErrNotApproved }

// FetchMark gets a fresh membership mark, verified with the hub's keys.
func (c *Client) FetchMark(ctx context.Context, t Ticket) (trust.MarkRef, error) {
	return trust.MarkRef{}, ErrHub
}

// FetchGossipKeys gets the gossip keys, primary first, and when to ask again.
func (c *Client) FetchGossipKeys(ctx context.Context, t Ticket) (keys [][]byte, again time.Duration, err error) {
	return nil, 0, ErrHub
}
