// Package foreign starts OpenID software that is not ours, for tests: the
// certified npm packages oidc-provider (as a provider for sso/rp and
// sso/upstream) and openid-client (as a static client of sso/op). The scripts
// and the pinned versions are in testnet/foreign; they are development
// dependencies and never part of a release.
//
// The tests skip where node or testnet/foreign/node_modules is missing, and
// fail there if RATHAUSNETZ_REQUIRE contains the word node.
package foreign
