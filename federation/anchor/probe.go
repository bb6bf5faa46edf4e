package anchor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Reach is how a hub sees one of its members from outside: each a short word,
// "ok" or what went wrong. It names no addresses.
type Reach struct {
	Portal string `json:"portal"` // its public address over https
	Gossip string `json:"gossip"` // its gossip port over TCP; "" if it has none
	Heard  string `json:"heard"`  // what gossip says of it, over UDP and TCP: alive, dead, left, unknown
}

// probeEvery is how often one member may have itself looked at.
const probeEvery = 10 * time.Second

// ErrTooSoon means that the hub has just looked at this member.
var ErrTooSoon = errors.New("anchor: asked too soon after the last time")

// Probe has the hub connect back to this node.
func (c *Client) Probe(ctx context.Context, t Ticket) (Reach, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*fetchTimeout)
	defer cancel()
	var out Reach
	body, err := c.post(ctx, t, pathProbe, typeProbe, requestClaims{})
	if err != nil {
		return out, err
	}
	if err := trust.Decode(body, &out); err != nil {
		return out, fmt.Errorf("%w: %w", ErrHub, err)
	}
	return out, nil
}

// serveProbe connects back to whoever asks, applicant or member, and to nobody
// else: only to what is registered for the one that has signed the request.
func (a *Anchor) serveProbe(w http.ResponseWriter, r *http.Request) error {
	t, c, err := a.readRequest(w, r, maxRequest, typeProbe)
	if err != nil {
		return err
	}
	m, err := a.known(r.Context(), t, c)
	if err != nil {
		return err
	}
	if m.State != StateActive && m.State != StatePending {
		return fmt.Errorf("%s is %s: %w", m.ID, m.State, ErrNotMember)
	}
	err = a.cfg.Store.Create(r.Context(), "anchor/probe/"+string(m.ID), []byte{1}, probeEvery)
	if errors.Is(err, store.ErrExists) {
		return ErrTooSoon
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), fetchTimeout)
	defer cancel()
	answerJSON(w, http.StatusOK, a.cfg.Probe(ctx, m))
	return nil
}
