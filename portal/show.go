package portal

import (
	"sync"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/delegation"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/mirror"
)

// showing is what stands between the copies and the directory.
type showing struct {
	mu    sync.Mutex // held while the directory is brought in step with one copy and those that depend on it
	given delegation.Book
}

// showMember makes a member known to the directory even without a copy: "we
// cannot know" is another answer than "nobody".
func (n *Node) showMember(m federation.Member) {
	n.showing.mu.Lock()
	defer n.showing.mu.Unlock()
	if c, ok := n.mirror.Copy(m.ID); ok && c.Catalogue != nil {
		c.Member = m
		n.show(c)
		return
	}
	n.directory.Replace(directory.Source{Member: m, Reachable: n.reachable(m.ID)})
	n.showReceivers(n.showing.given.Forget(m.ID))
}

// showLapsed labels what is held of a member that cannot be verified anew.
func (n *Node) showLapsed(id federation.EntityID) {
	n.showing.mu.Lock()
	defer n.showing.mu.Unlock()
	if c, ok := n.mirror.Copy(id); ok {
		c.State = mirror.StateStale
		n.show(c)
	}
}

func (n *Node) showCopy(c mirror.Copy) {
	n.showing.mu.Lock()
	defer n.showing.mu.Unlock()
	n.show(c)
}

// hide takes a member out of the directory, and with it what it has delegated.
func (n *Node) hide(id federation.EntityID) {
	n.showing.mu.Lock()
	defer n.showing.mu.Unlock()
	n.directory.Remove(id)
	n.blocks.forget(id)
	n.showReceivers(n.showing.given.Forget(id))
}

// show brings the directory in step with a copy and, where it delegates, with
// those of who gets something. What is withdrawn is gone with the first of
// these steps already; called with showing.mu held.
func (n *Node) show(c mirror.Copy) {
	if c.Member.ID == "" {
		return
	}
	n.replace(c)
	if c.State == mirror.StateNone || c.Catalogue == nil {
		n.showReceivers(n.showing.given.Forget(c.Member.ID))
		return
	}
	n.showReceivers(n.showing.given.Set(c.Member.ID, c.Catalogue.Delegations))
}

// showReceivers shows the copies of members to whom something else is
// delegated than before; called with showing.mu held.
func (n *Node) showReceivers(ids []federation.EntityID) {
	for _, id := range ids {
		if id == n.cfg.Entity {
			wake(n.publisher.again) // it may publish what it could not, or the other way round
		}
		c, ok := n.mirror.Copy(id)
		if !ok || c.Whole == nil {
			continue // nothing of it is outside its mark
		}
		chain, err := (holders{members{n}}).Chain(id)
		if err != nil {
			continue // no member any more, and out of the directory
		}
		if c.Member, err = chain.Member(); err == nil {
			n.replace(c)
		}
	}
}

// replace puts one copy into the directory.
func (n *Node) replace(c mirror.Copy) {
	var cat *catalog.Catalogue
	if c.State != mirror.StateNone {
		cat = n.blocks.apply(c.Member.ID, n.admitted(c))
	}
	seen := c.Checked
	if seen.IsZero() { // not since the start
		seen = c.Fetched
	}
	n.directory.Replace(directory.Source{Member: c.Member, Catalogue: cat, Serial: c.Serial, Fetched: seen,
		Stale: c.State != mirror.StateFresh, Reachable: n.reachable(c.Member.ID)})
}

// admitted is a copy's catalogue with what others have delegated to its
// member.
func (n *Node) admitted(c mirror.Copy) *catalog.Catalogue {
	if c.Whole == nil {
		return c.Catalogue
	}
	admitted, _ := n.showing.given.Admit(c.Whole, c.Member)
	return admitted
}

// outside is what of a copy nobody may use: outside its member's mark, and
// delegated by nobody.
func (n *Node) outside(c mirror.Copy) []catalog.Finding {
	if c.Whole == nil {
		return nil
	}
	_, findings := n.showing.given.Admit(c.Whole, c.Member)
	return findings
}
