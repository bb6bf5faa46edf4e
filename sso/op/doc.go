// Package op is the OpenID Provider of the network: one login for every
// portal, visible to the citizen and capped by level of assurance.
//
// It owns the endpoints and what they carry out; what is decided is in
// sso/op/protocol, what is remembered in sso/op/ledger, accounts of its own are
// in sso/op/account and accounts from elsewhere come from sso/upstream. It
// writes no HTML: sso.Pages does.
//
// Handlers returns every endpoint by path:
//
//	/.well-known/openid-configuration   OP.Discovery   metadata [OIDC Discovery §4]
//	/op/jwks                            OP.JWKS        protocol keys
//	/op/par                             OP.PAR         pushed requests [RFC 9126]
//	/op/authorize                       OP.Authorize   GET and POST
//	/op/login                           OP.Login       the form and its target
//	/op/rueckkehr/{id}                  OP.Return      answers of upstream {id}
//	/op/verknuepfen                     OP.Link        an account source for an account, see LinkForm
//	/op/confirm                         OP.Confirm     the information page and its target
//	/op/token                           OP.Token       codes for tokens
//	/op/userinfo                        OP.Userinfo    released claims
//	/op/revoke                          OP.Revoke      [RFC 7009]
//	/op/logout                          OP.Logout      [RPINIT], then back-channel to every portal [BCLOGOUT]
//
// Run delivers back-channel logouts again that did not arrive at once.
//
// There are no refresh tokens, no implicit flow, no password grant and no
// dynamic registration.
package op
