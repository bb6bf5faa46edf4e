// Package passkey keeps the passkeys of accounts: credentials made and used by
// the browser [WebAuthn §1.2], found again by the account they belong to.
//
// A passkey is asked for with user verification, so it stands for possession
// and for a PIN or a finger; it signs in without a name being typed. What level
// such a login reaches is the account's, decided by the caller. Attestation is
// not asked for: it would tell which device a citizen owns.
//
// It owns challenges and stored keys. Who is signed in, pages and forms are up
// to sso/op and sso/op/desk.
package passkey
