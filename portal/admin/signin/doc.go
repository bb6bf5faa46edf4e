// Package signin proves who somebody is who wants to use the operator pages:
// the code flow with PKCE, state and nonce at an OpenID Provider [OIDC §3.1].
//
// A Source is one provider: one that the operator has configured for the staff,
// or the provider of the network, asked as the relying party that the node is
// there anyway. What the protocol demands is checked in sso/rp/provider; who
// may do what is decided in portal/admin/staff. A login here makes no citizen's
// session: it has its own redirect URI, state and cookie.
package signin
