// Package discovery finds the nodes of a network and tells each what the
// others have announced [DESIGN §3]. It is built on memberlist (SWIM with
// gossip); the package is the only one that imports it.
//
// What it owns: which nodes are up (Peer), the newest announcement of every
// member, and the repetition of notices until they expire. A node's name is
// bound to its entity ID and its address by a signature in the gossip
// metadata; a node whose binding does not verify is not joined [SSO.md §10 I].
//
// What it leaves to others: whether a catalogue is to be believed
// (federation/mirror), who is a member (federation/roster) and where
// catalogues are pulled from (the entity ID). Gossip says where to look;
// signatures say what to believe.
//
// How an announcement travels: as a broadcast of its own, in the metadata of
// the announcing node, and in every push/pull. Callbacks of memberlist only
// copy and enqueue; queues are bounded, drop their oldest entry when full and
// count it, because the next push/pull repeats it.
//
// Follower is the same for a node behind a firewall: outbound HTTPS only, a
// long poll of the announcements that Handler of another node serves.
package discovery
