package portal

import (
	"context"
	"fmt"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/trust"
)

// maxMisdeeds bounds what waits for being told to the hub.
const maxMisdeeds = 64

// misdeed is something that another member has done. The hub writes down all
// that it sees itself; a member reports only what proves itself, since
// everybody sees the rest.
type misdeed struct {
	anchor.Report
	proved bool
}

// noteEquivocation is called by the mirror under its lock. It shows both manifests to
// everybody, if this node is the first to see them: each node then finds the proof in its own copy [DESIGN §3].
func (n *Node) noteEquivocation(e mirror.Equivocation) {
	n.metrics.Refused("equivocation")
	n.log.Error("a member has sealed two catalogues with one serial", "peer", e.Member, "serial", e.Serial)
	n.note(misdeed{proved: !e.Told, Report: anchor.Report{
		Subject: e.Member, Kind: "equivocation", Reason: fmt.Sprintf("two manifests with serial %d; evidence kept", e.Serial),
		Evidence: []string{e.Held, e.Other}, EvidenceType: catalog.ManifestType,
	}})
	net := n.network.Load()
	if e.Told || net == nil {
		return
	}
	for _, sealed := range []string{e.Held, e.Other} {
		if err := net.discovery.Notify(sealed); err != nil {
			n.log.Warn("evidence is too large for gossip; the others find it with their next pull", "peer", e.Member, "err", err)
		}
	}
}

// noteRefused is told what a member itself has answered to a pull.
func (n *Node) noteRefused(id federation.EntityID, err error) {
	n.metrics.Refused(refusalKind(err))
	n.event(Refused, id, 0, err.Error())
	n.note(misdeed{Report: anchor.Report{Subject: id, Kind: "refused", Reason: err.Error()}})
}

// noteOutside writes down claims outside a mark that nobody has delegated, once
// for each catalogue. Only the mirror calls it, one call at a time.
func (n *Node) noteOutside(c mirror.Copy) {
	if n.noted[c.Member.ID] == c.Digest {
		return
	}
	list := n.outside(c)
	if len(list) == 0 {
		return
	}
	n.noted[c.Member.ID] = c.Digest
	n.metrics.Refused("scope")
	n.note(misdeed{Report: anchor.Report{Subject: c.Member.ID, Kind: "scope", Reason: leftOut(c.Member, list)}})
}

// leftOut is what was left out of a copy, in one line.
func leftOut(m federation.Member, list []catalog.Finding) string {
	return fmt.Sprintf("%d claims outside its mark %s left out: %s", len(list), m.MarkID, list[0].String())
}

// note never blocks: it is called under locks of others.
func (n *Node) note(d misdeed) {
	select {
	case n.misdeeds <- d:
	default:
		n.log.Warn("too much to report at a time", "peer", d.Subject, "err", d.Reason)
	}
}

// tellHub brings what was noted to the hub's audit trail.
func (n *Node) tellHub(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case d := <-n.misdeeds:
			if err := n.tell(ctx, d); err != nil {
				n.log.Error("the hub was not told", "peer", d.Subject, "err", err)
			}
		}
	}
}

func (n *Node) tell(ctx context.Context, d misdeed) error {
	switch {
	case n.anchor != nil:
		return n.anchor.Note(ctx, string(n.cfg.Entity), d.Kind, string(d.Subject), d.Reason)
	case !d.proved:
		return nil
	}
	return n.client.Report(ctx, *n.member.get().Ticket, d.Report)
}

// takeNotice looks at what came with gossip: evidence of an equivocation, or a
// revocation.
func (n *Node) takeNotice(net *network, notice string) error {
	if _, err := trust.Peek(notice, catalog.ManifestType); err == nil {
		return n.mirror.Evidence(notice)
	}
	if isNews(notice) {
		return n.takeNews(net, notice)
	}
	return net.takeNotice(notice)
}
