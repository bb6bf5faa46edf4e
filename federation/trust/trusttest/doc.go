// Package trusttest is a federation in memory for tests: an anchor, hubs and
// members with keys from seeds, all answered by one HTTP server on loopback
// under names of .localhost. Every statement can be bent before it is signed,
// and every answer replaced, so that hostile members can be played.
package trusttest
