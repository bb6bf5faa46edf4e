// Package roster is the membership of the network as one node sees it: which
// members are verified at present, with which chain, and why others are not.
//
// It asks its hub for the list, resolves each member through federation/trust
// and keeps the result on disk, so that a restarted node knows its members
// while the hub is down, until their statements expire. Revocation notices
// make it stricter at once and never more generous [SSO.md §2].
package roster
