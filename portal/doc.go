// Package portal assembles and runs one node: keys, store, membership,
// mirrored catalogues, the directory, sign-on and pages, with one table of
// routes (routes.go) and one outbound client. It decides nothing itself; it
// gives every other package what it needs and waits for whatever it starts.
package portal
