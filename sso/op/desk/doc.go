// Package desk is where citizens look after their own account at the provider:
// password, passkeys, where they are signed in, who received what, a copy of
// all data, and the end of the account. Without mail, a new password is set
// with a code that the operator hands over.
//
// What must not be done by whoever finds an open browser asks for a login that
// is minutes old. Every form carries the token of the session it was made for.
//
// The desk decides and writes no HTML: Pages draws. Signing in is sso/rp and
// sso/op, what is stored belongs to sso/op/account, sso/op/passkey and
// sso/op/ledger.
package desk
