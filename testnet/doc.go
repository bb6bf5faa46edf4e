// Package testnet runs a whole Landkreis in one process: hub and trust
// anchor, member municipalities and a utility, each a complete node with its
// own keys, store, listener and host name below .localhost, talking to each
// other over real HTTP, real gossip and real OpenID Connect.
//
// It is the demonstration, the end-to-end test and the place where faults are
// caused on purpose. It imports no testing package: the command uses it too.
package testnet
