// Package mirror keeps verified copies of every member's catalogue, its own
// included [DESIGN §3]: it pulls by digest and only the chunks that are
// missing, verifies from cheap to dear (size, seal, issuer, serial, validity,
// digests, content, scope), and then swaps the whole catalogue at once or
// keeps the last good one and says why.
//
// What it owns: the sealed bytes on disk, named by their digest and never
// changed; for each member the pointer to the current ones; the evidence of an
// equivocation; the handlers that serve all of these to other members.
//
// What it leaves to others: signatures and chains to federation/trust, the
// form of a catalogue to federation/catalog, who is a member to
// federation/roster, and who has announced what to discovery.
package mirror
