// Package anchor is the hub's side of the network: invitations, join requests,
// approval, statements, trust marks, status, revocation, gossip keys and the
// audit trail. A hub is the trust anchor of its network or an intermediate
// below one [OIDF §1.2].
//
// What a statement or a mark looks like and whether it holds is decided in
// federation/trust; who belongs to the network is decided here, by an
// operator. The state lives in a store.Store, so several replicas of one hub
// can serve it.
//
// Client is the other side: what a member does to join and to stay.
package anchor
