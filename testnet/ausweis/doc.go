// Package ausweis is the demonstration's stand-in for a source of accounts
// that vouches for more than a password does: an OpenID Provider that says
// "this is the demonstration person, level substanziell" after one button. No
// card is read, and its pages say so. It is sso/op with pages of its own, so
// that a hub talks to it as to any upstream; see docs/bundid.md for a real one.
package ausweis
