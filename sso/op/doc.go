// Package op is the OpenID Provider of the network, written as a small
// profile: response_type=code, PKCE with S256, pairwise subjects, ES256,
// issuer in every answer, one-time objects consumed in one step of the store.
//
// Federated clients are members: client_id is the entity ID, requests come by
// PAR or as a signed request object, client authentication is private_key_jwt
// with the issuer as its one audience. Static clients are online services of
// third parties, configured by the operator. Refresh tokens are not issued.
//
// The decisions (request.go, decide.go) are pure functions of request and
// state; handlers fetch, decide, store and answer. What a person sees is drawn
// by sso.Pages; who a client is tells Clients; accounts are in sso/op/account
// and other sources of accounts behind Upstream.
//
// Standards: OpenID Connect Core 1.0, OpenID Federation 1.0 (automatic
// registration), RFC 6749, RFC 7009, RFC 7636, RFC 9101, RFC 9126, RFC 9207,
// RFC 9700, Back-Channel Logout 1.0, RP-Initiated Logout 1.0.
package op
