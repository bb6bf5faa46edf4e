// Package protocol is the OpenID Provider's mind: pure functions from a
// request and what is known to a decision. It has no net/http, no store and no
// clock of its own; whoever calls it carries the decisions out.
//
// It speaks the small profile of [SSO.md §0.3]: response_type code with PKCE
// S256, pairwise subjects, private_key_jwt, pushed or signed requests of
// federated clients, plain ones of static clients.
//
// Standards: OpenID Connect Core 1.0 (OIDC), RFC 6749, RFC 7636 (PKCE),
// RFC 7523 (client assertions), RFC 9101 (JAR), RFC 9126 (PAR), RFC 9207 (iss),
// RP-Initiated Logout 1.0 (RPINIT), Back-Channel Logout 1.0 (BCLOGOUT),
// OpenID Federation 1.0 (OIDF).
package protocol
