// Package metrics counts what a node does and shows it in the text format of
// Prometheus. It is the door to client_golang.
//
// Cardinality is bounded by construction: labels are route patterns, methods,
// status classes, states, kinds and purposes, each from a short list in the
// code. Nothing here names a citizen, an address, a token or a single member.
// Each node has a registry of its own, so that many run in one process.
package metrics
