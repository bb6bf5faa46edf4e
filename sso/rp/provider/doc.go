// Package provider is one OpenID Provider as its client sees it: discovery,
// pushed requests, the token and userinfo endpoints, and the checks of ID
// tokens and logout tokens. sso/rp builds the portal's login on it, and
// sso/upstream the provider's own sources of accounts.
//
// Tokens are verified by coreos/go-oidc/v3 with the guards it leaves to its
// caller [SSO.md §0.4]: signature, typ, kid and strict claims through
// federation/trust; nonce, azp, iat, nbf, auth_time, at_hash and foreign
// audiences here. Its remote key set is not used, because it has neither a
// limit on the body nor a cooldown; see keySet.
//
// What a login asks for, and what may be believed of acr, is decided by the
// callers. This package keeps key sets in memory and nothing else.
package provider
