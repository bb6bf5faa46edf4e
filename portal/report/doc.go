// Package report carries two kinds of remarks between members, signed like
// everything else in the federation: what a citizen found wrong in a text goes
// to the member that owns it ("Fehler melden"), and a Leistung that nobody
// answers for goes to the hub, which counts it. Neither holds anything about
// the citizen: no name, no address, no session.
//
// A remark that cannot be delivered is kept and tried again for 30 days. Its
// reference asks for its state at the portal where it was written.
package report
