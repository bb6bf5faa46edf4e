// Package account keeps the accounts of a provider of its own: a name, a
// password as argon2id, personal data and the level the account reaches. It
// needs nothing but a store.Store, so that a pilot logs in without a foreign
// account source and without mail.
//
// It limits guessing per account and per address. Attempts are counted before
// the password is looked at, on every path, also for names that do not exist.
// What a level needs beyond a password (checking a person's papers) is up to
// the operator who sets it.
package account
