// Package certs gives a listener its certificate: from two files that are
// looked at again when they change, or from an authority that speaks ACME [RFC
// 8555]. A certificate that cannot be used never replaces one that can. It is
// the door to x/crypto/acme.
package certs
