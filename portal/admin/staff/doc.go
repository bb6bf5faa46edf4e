// Package staff knows who may use the operator pages: accounts, roles, how
// somebody gets in for the first time, and sessions.
//
// An account is a number and a set of roles; a person's name is kept here and
// nowhere else. A person comes in by a one-time link from the command line
// (Link), by an invitation of somebody with the role Leitung (Invite), or by
// what a configured OpenID Provider says of them (Admit). How an identity is
// proved is decided in portal/admin/signin.
//
// Sessions have a cookie, a key space and limits of their own: a citizen's
// session opens no operator page and the reverse. The browser holds 32 random
// bytes, the store their SHA-256. Account and roles are read at every request,
// so that a lock counts at once in all replicas.
package staff
