package doctor

import (
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
)

// Node is what a running node knows. Errors are sentences; "" is none.
type Node struct {
	Now    time.Time           `json:"now"`
	Entity federation.EntityID `json:"entity"`
	State  string              `json:"state"` // alone, waiting, member or hub

	StoreErr string `json:"store_err,omitempty"`
	SelfErr  string `json:"self_err,omitempty"` // of the own public address
	Foreign  bool   `json:"foreign,omitempty"`  // somebody else answers there

	Hub       federation.EntityID `json:"hub,omitempty"`
	HubErr    string              `json:"hub_err,omitempty"`
	HubKeyErr string              `json:"hub_key_err,omitempty"` // it shows other keys than the ones compared
	Skew      time.Duration       `json:"skew_ns"`               // own clock minus the hub's

	Reach    *anchor.Reach `json:"reach,omitempty"` // nil: the hub was not asked, or does not offer it
	ReachErr string        `json:"reach_err,omitempty"`
	Follows  bool          `json:"follows,omitempty"` // takes no part in gossip, on purpose

	Expires time.Time `json:"expires,omitzero"` // of the own membership
	OPErr   string    `json:"op_err,omitempty"`

	Source         string `json:"source,omitempty"`
	PublicationErr string `json:"publication_err,omitempty"`
	Offers         int    `json:"offers"`

	Others []Other `json:"others,omitempty"`
}

// Other is another member.
type Other struct {
	Member  federation.EntityID `json:"member"`
	Name    string              `json:"name"`
	Gossip  string              `json:"gossip"`
	Since   time.Time           `json:"since,omitzero"`
	Copy    string              `json:"copy"`
	Checked time.Time           `json:"checked,omitzero"`
	Err     string              `json:"err,omitempty"`
}

func (r *report) store(n *Node) {
	if n.StoreErr != "" {
		r.bad(Failure, "store", "start the Redis server that store.redis names, or look at the disk of the data folder", "the store does not answer: %s", n.StoreErr)
		return
	}
	r.ok("store", "answers")
}

func (r *report) address(n *Node) {
	switch {
	case n.SelfErr != "":
		r.bad(Failure, "public address", "start the reverse proxy, and let the firewall pass requests of this machine to its own public address", "%s does not answer this node itself: %s", n.Entity, n.SelfErr)
	case n.Foreign:
		r.bad(Failure, "public address", "have the name or the reverse proxy lead to this node", "at %s somebody else answers, with other keys", n.Entity)
	default:
		r.ok("public address", "%s leads to this node", n.Entity)
	}
}

func (r *report) hub(n *Node) {
	if n.Hub == n.Entity || n.Hub == "" {
		return
	}
	if n.HubErr != "" {
		r.bad(Failure, "hub", "let the firewall pass TCP 443 to the hub, and ask its operator whether it runs", "%s does not answer: %s", n.Hub, n.HubErr)
		return
	}
	if n.HubKeyErr != "" {
		r.bad(Failure, "hub fingerprint", "trust nothing until the hub's operator has confirmed its fingerprint by telephone; after a change of all keys join again", "the hub shows keys that nobody has vouched for: %s", n.HubKeyErr)
	} else {
		r.ok("hub fingerprint", "%s shows the keys that were compared", n.Hub)
	}
	skew := n.Skew.Abs().Round(time.Second)
	const remedy = "switch on time synchronisation here: timedatectl set-ntp true"
	switch {
	case skew > skewFailure:
		r.bad(Failure, "clock", remedy, "the clock is %s off the hub's; others refuse what this node signs", skew)
	case skew > skewWarning:
		r.bad(Warning, "clock", remedy, "the clock is %s off the hub's", skew)
	default:
		r.ok("clock", "within %s of the hub's", max(skew, time.Second))
	}
}

func (r *report) outside(n *Node) {
	if n.Hub == n.Entity {
		return
	}
	switch {
	case n.HubErr != "":
		return // said already
	case n.ReachErr != "":
		r.bad(Warning, "from outside", "wait a moment and ask again", "the hub did not look: %s", n.ReachErr)
		return
	case n.Reach == nil:
		r.bad(Warning, "from outside", "ask the hub's operator to update it", "the hub cannot look at its members from outside")
		return
	}
	if n.Reach.Portal != "ok" {
		r.bad(Failure, "from outside", "open TCP 443 from everywhere to the portal, and start the reverse proxy", "the hub does not reach the public address: %s", n.Reach.Portal)
	} else {
		r.ok("from outside", "the hub reaches the public address")
	}
	const remedy = "open UDP and TCP of gossip.bind from all members to this node, and set gossip.advertise to what they see"
	switch {
	case n.Follows:
		r.ok("gossip", "takes no part, and follows by HTTPS")
	case n.Reach.Gossip != "ok" && n.Reach.Gossip != "":
		r.bad(Failure, "gossip", remedy, "the hub does not reach the gossip port: %s", n.Reach.Gossip)
	case n.State == "waiting":
	case n.Reach.Heard != "alive":
		r.bad(Failure, "gossip", remedy, "the hub's gossip says that this node is %s: probably only TCP passes, and UDP does not", n.Reach.Heard)
	default:
		r.ok("gossip", "the hub reaches the gossip port, and hears this node")
	}
}

func (r *report) membership(n *Node) {
	left := n.Expires.Sub(n.Now).Round(time.Minute)
	const remedy = "see that the hub answers (above); it renews memberships by itself"
	switch {
	case n.Expires.IsZero() || left <= 0:
		r.bad(Failure, "membership", remedy+"; if it was ended, ask the hub's operator why", "the own membership cannot be verified any more")
	case left < membershipWarning:
		r.bad(Warning, "membership", remedy, "the own membership ends in %s and was not renewed", left)
	default:
		r.ok("membership", "verified, for another %s", left)
	}
}

func (r *report) signOn(n *Node) {
	if n.OPErr != "" {
		r.bad(Failure, "sign-on", "ask the operator of the provider to mend its metadata; nobody can sign in until then", "%s", n.OPErr)
		return
	}
	r.ok("sign-on", "the provider's metadata is good")
}

func (r *report) catalogue(n *Node) {
	switch {
	case n.PublicationErr != "":
		r.bad(Failure, "catalogue", "see what is wrong with: rathausnetz catalog diff; the old one stays until then", "the last publication failed: %s", n.PublicationErr)
	case n.Offers == 0:
		r.bad(Warning, "catalogue", "set catalog.source, or use: rathausnetz catalog import FILE", "this node has not published anything")
	default:
		r.ok("catalogue", "%d offers are published", n.Offers)
	}
}

func (r *report) copies(n *Node) {
	var old, frozen, refused []string
	for _, o := range n.Others {
		switch {
		case o.Copy == "frozen":
			frozen = append(frozen, o.Name)
		case o.Copy == "stale", o.Copy != "none" && n.Now.Sub(o.Checked) > copyWarning:
			old = append(old, o.Name)
		case o.Err != "" && o.Gossip == "alive" && o.Copy != "none":
			refused = append(refused, o.Name+" ("+o.Err+")")
		}
	}
	if len(frozen) > 0 {
		r.bad(Failure, "copies", "tell the hub's operator; it has the evidence in its audit trail", "frozen, because their owner sealed two catalogues with one number: %s", names(frozen))
	}
	if len(refused) > 0 {
		r.bad(Warning, "copies", "tell the IT of that member what stands in brackets", "the newest catalogue was not taken over: %s", names(refused))
	}
	if len(old) > 0 {
		r.bad(Warning, "copies", "nothing to do here if the member is down; else see rathausnetz status for the reason", "old, and labelled so: %s", names(old))
	}
	if len(frozen)+len(refused)+len(old) == 0 {
		r.ok("copies", "all copies of the others are fresh")
	}
}

func (r *report) peers(n *Node) {
	var dead []string
	for _, o := range n.Others {
		if o.Gossip == "dead" {
			dead = append(dead, o.Name)
		}
	}
	switch {
	case len(dead) > 0 && len(dead) == len(n.Others):
		r.bad(Failure, "peers", "open UDP and TCP of gossip.bind in both directions: more likely this node is cut off than all others are down", "nobody is heard any more: %s", names(dead))
	case len(dead) > 0:
		r.bad(Warning, "peers", "nothing to do here; their IT has to start them", "do not answer: %s", names(dead))
	default:
		r.ok("peers", "%d other members, none of them down", len(n.Others))
	}
}
