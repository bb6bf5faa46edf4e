// Package hub holds the pages with which a Landkreis runs its Verbund: network
// map and table, joining, suspension and revocation, areas, planned hand-overs,
// coverage, conflicts, gaps, evidence and the audit trail [UX.md §8].
//
// It shows and asks; what a verb does is decided in federation/anchor, by the
// same functions that the command line calls, and who may use it in the table
// of its Section. Answers about responsibility come from federation/directory.
package hub
