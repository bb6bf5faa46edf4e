// Package rp is the portal's side of signing in: a Relying Party for every
// OpenID Provider that the network has verified.
//
// It owns the login (a record that lives 60 minutes, bound to the browser),
// the callback with all its checks, third-party initiated login, step-up, the
// receiver of back-channel logout and the portal's own logout. The checks of
// tokens are in sso/rp/provider, sessions in sso/session; which providers
// exist is told by the portal through Providers.
//
// Standards: OpenID Connect Core 1.0, OpenID Federation 1.0 (automatic
// registration with PAR and private_key_jwt), RFC 7636 (S256 only), RFC 9126,
// RFC 9207 (iss required), RFC 9700, OpenID Connect Back-Channel Logout 1.0,
// RP-Initiated Logout 1.0.
package rp
