package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/audit"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
	"rathausnetz/portal/doctor"
)

// Errors of the operator's verbs.
var (
	ErrNoHub    = errors.New("portal: this node is not a hub; ask the IT of the Landkreis")
	ErrJoined   = errors.New("portal: this node has joined a network already; to leave it use: rathausnetz leave")
	ErrNoMember = errors.New("portal: this node has not joined a network yet; use: rathausnetz join CODE")
	ErrIsHub    = errors.New("portal: a hub cannot leave its own network")
	ErrNoOP     = errors.New("portal: this node has no accounts; they are at the hub")
)

// Invitation is what Invite gives back: the code goes to the new member once.
type Invitation struct {
	Code    string    `json:"code"`
	Expires time.Time `json:"expires"`
}

// JoinResult says how far joining is.
type JoinResult struct {
	Hub      federation.EntityID `json:"hub"`
	Words    []string            `json:"words"` // own fingerprint, to read to the hub over the telephone
	Approved bool                `json:"approved"`
}

// Decision is an operator's word about one member.
type Decision struct {
	ID     federation.EntityID `json:"id"`
	By     string              `json:"by"`
	Reason string              `json:"reason,omitempty"`
	Scope  federation.Scope    `json:"scope,omitzero"` // for rescope
	From   time.Time           `json:"from,omitzero"`  // for plan: the day it begins
}

// InviteRequest is an invitation with the operator's name for the audit trail.
type InviteRequest struct {
	By string `json:"by"`
	anchor.Invitation
}

// Verbs are what the command line may ask of this node.
func (n *Node) Verbs() map[string]control.Verb {
	v := map[string]control.Verb{
		"join":        control.Handle(n.Join),
		"leave":       control.Handle(n.leave),
		"status":      control.Handle(func(context.Context, struct{}) (Status, error) { return n.Status(), nil }),
		"publish":     control.Handle(n.Publish),
		"import":      control.Handle(n.Import),
		"sheet":       control.Handle(n.ApplySheet),
		"catalog":     control.Handle(n.ownCatalogue),
		"trust":       control.Handle(n.ExplainTrust),
		"invite":      control.Handle(n.Invite),
		"members":     control.Handle(n.ListMembers),
		"approve":     n.decide((*anchor.Anchor).Approve),
		"refuse":      n.decideReason((*anchor.Anchor).Refuse),
		"suspend":     n.decideReason((*anchor.Anchor).Suspend),
		"readmit":     n.decide((*anchor.Anchor).Readmit),
		"revoke":      n.decideReason((*anchor.Anchor).Revoke),
		"rescope":     control.Handle(n.rescope),
		"plan":        control.Handle(n.plan),
		"unplan":      n.decide((*anchor.Anchor).Unplan),
		"audit":       control.Handle(n.audit),
		"auditverify": control.Handle(n.verifyAudit),
		"adminlink":   control.Handle(n.AdminLink),
	}
	v["reload"] = control.Handle(func(context.Context, struct{}) (Reloaded, error) { return n.Reload() })
	n.accountVerbs(v)
	v["neighbours"] = control.Handle(func(context.Context, struct{}) ([]NeighbourStatus, error) { return n.Neighbours(), nil })
	n.backupVerbs(v)
	v["examine"] = control.Handle(func(ctx context.Context, _ struct{}) (doctor.Node, error) { return n.Examine(ctx), nil })
	n.directoryVerbs(v)
	n.reportVerbs(v)
	n.linkVerbs(v)
	n.blockVerbs(v)
	return v
}

// Invite makes a one-time code for a new member.
func (n *Node) Invite(ctx context.Context, in InviteRequest) (Invitation, error) {
	if n.anchor == nil {
		return Invitation{}, ErrNoHub
	}
	code, err := n.anchor.Invite(ctx, in.By, in.Invitation)
	if err != nil {
		return Invitation{}, err
	}
	return Invitation{Code: code.String(), Expires: code.Expires}, nil
}

// Join uses a one-time code. The hub's key is checked against it before the
// secret is sent; afterwards the node waits for the operator of the hub.
func (n *Node) Join(ctx context.Context, code string) (JoinResult, error) {
	if s := n.member.get(); s.Approved {
		return JoinResult{}, fmt.Errorf("%w: %s", ErrJoined, s.Ticket.Hub)
	}
	c, err := anchor.ParseCode(code, n.cfg.LoopbackHTTP)
	if err != nil {
		return JoinResult{}, err
	}
	t, err := n.client.Join(ctx, c)
	if err != nil {
		return JoinResult{}, err
	}
	if err := n.member.update(func(s *membershipState) { s.Ticket = &t }); err != nil {
		return JoinResult{}, err
	}
	n.log.Info("asked to join", "peer", t.Hub)
	return JoinResult{Hub: t.Hub, Words: t.Words}, nil
}

// leave forgets the network this node belongs to, or asked to belong to. Keys
// and the own catalogue stay; it can join again after a restart.
func (n *Node) leave(context.Context, struct{}) (struct{}, error) {
	if n.anchor != nil {
		return struct{}{}, ErrIsHub
	}
	if n.member.get().Ticket == nil {
		return struct{}{}, ErrNoMember
	}
	return struct{}{}, n.member.update(func(s *membershipState) { *s = membershipState{} })
}

// ListMembers returns the hub's registry.
func (n *Node) ListMembers(ctx context.Context, f anchor.Filter) ([]anchor.Member, error) {
	if n.anchor == nil {
		return nil, ErrNoHub
	}
	return n.anchor.List(ctx, f)
}

// ShowMember returns one entry of the hub's registry.
func (n *Node) ShowMember(ctx context.Context, id federation.EntityID) (anchor.Member, error) {
	if n.anchor == nil {
		return anchor.Member{}, ErrNoHub
	}
	return n.anchor.Show(ctx, id)
}

// Approve admits a pending member.
func (n *Node) Approve(ctx context.Context, by string, id federation.EntityID) error {
	if n.anchor == nil {
		return ErrNoHub
	}
	return n.anchor.Approve(ctx, by, id)
}

// Revoke ends a membership at once and everywhere.
func (n *Node) Revoke(ctx context.Context, by string, id federation.EntityID, reason string) error {
	if n.anchor == nil {
		return ErrNoHub
	}
	return n.anchor.Revoke(ctx, by, id, reason)
}

func (n *Node) decide(f func(*anchor.Anchor, context.Context, string, federation.EntityID) error) control.Verb {
	return control.Handle(func(ctx context.Context, d Decision) (anchor.Member, error) {
		if n.anchor == nil {
			return anchor.Member{}, ErrNoHub
		}
		if err := f(n.anchor, ctx, d.By, d.ID); err != nil {
			return anchor.Member{}, err
		}
		return n.anchor.Show(ctx, d.ID)
	})
}

func (n *Node) decideReason(f func(*anchor.Anchor, context.Context, string, federation.EntityID, string) error) control.Verb {
	return control.Handle(func(ctx context.Context, d Decision) (anchor.Member, error) {
		if n.anchor == nil {
			return anchor.Member{}, ErrNoHub
		}
		if err := f(n.anchor, ctx, d.By, d.ID, d.Reason); err != nil {
			return anchor.Member{}, err
		}
		return n.anchor.Show(ctx, d.ID)
	})
}

func (n *Node) rescope(ctx context.Context, d Decision) (anchor.Member, error) {
	if n.anchor == nil {
		return anchor.Member{}, ErrNoHub
	}
	if err := n.anchor.Rescope(ctx, d.By, d.ID, d.Scope); err != nil {
		return anchor.Member{}, err
	}
	return n.anchor.Show(ctx, d.ID)
}

// plan is rescope on a day to come.
func (n *Node) plan(ctx context.Context, d Decision) (anchor.Member, error) {
	if n.anchor == nil {
		return anchor.Member{}, ErrNoHub
	}
	if err := n.anchor.Plan(ctx, d.By, d.ID, federation.Planned{From: d.From, Scope: d.Scope}, d.Reason); err != nil {
		return anchor.Member{}, err
	}
	return n.anchor.Show(ctx, d.ID)
}

// AuditRange asks for records from a number on.
type AuditRange struct {
	From  uint64 `json:"from"`
	Limit int    `json:"limit"`
}

func (n *Node) audit(ctx context.Context, r AuditRange) ([]audit.Record, error) {
	return n.trail.Read(ctx, r.From, r.Limit)
}

func (n *Node) verifyAudit(ctx context.Context, _ struct{}) (uint64, error) {
	return n.trail.Verify(ctx)
}

// TrustExplanation is a chain with every rule and verdict.
type TrustExplanation struct {
	Entity  federation.EntityID `json:"entity"`
	Trusted bool                `json:"trusted"`
	Error   string              `json:"error,omitempty"`
	Member  federation.Member   `json:"member,omitzero"`
	Expires time.Time           `json:"expires,omitzero"`
	Steps   []trust.Step        `json:"steps"`
	Claims  []json.RawMessage   `json:"statements,omitempty"`
}

// ExplainTrust verifies an entity afresh and returns every step. A refusal is
// a result here, not an error.
func (n *Node) ExplainTrust(ctx context.Context, id federation.EntityID) (TrustExplanation, error) {
	out := TrustExplanation{Entity: id}
	net := n.network.Load()
	if net == nil {
		return out, ErrNoMember
	}
	if _, err := federation.ParseEntityID(string(id), n.cfg.LoopbackHTTP); err != nil {
		return out, err
	}
	chain, steps, err := net.resolver.Explain(ctx, id)
	out.Steps = steps
	if chain != nil {
		out.Expires = chain.Expires
	}
	if err == nil {
		out.Member, err = chain.Member()
	}
	if err != nil {
		out.Error = err.Error()
		return out, nil
	}
	out.Trusted = true
	return out, nil
}
