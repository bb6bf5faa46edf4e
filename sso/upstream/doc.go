// Package upstream makes any OpenID Provider a source of accounts for sso/op:
// a Keycloak in front of BundID, a Servicekonto of a Land, another OP. Several
// stand side by side in a Set.
//
// It owns the login at the source (Begin, Finish), what the source may vouch
// for (an explicit table from acr to Level, and a cap), the mapping of claims,
// and Links: which identity of which source belongs to which account. Two
// identities are joined only while the person is signed in with both, never
// because an e-mail address is equal [SSO.md §9].
//
// It has no HTTP handlers: sso/op keeps the pending login in its own record,
// bound to the browser, and calls Finish with the answer.
package upstream
