// Package federation holds the nouns that every part of Rathausnetz shares:
// who takes part (EntityID, Member, Scope), what travels between them
// (Announcement, Digest) and how sure a login must be (Level).
//
// It does no I/O, starts no goroutine and keeps no state. Keys and
// signatures belong to federation/trust, catalogues to federation/catalog,
// membership to federation/roster.
package federation
