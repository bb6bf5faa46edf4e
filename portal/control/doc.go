// Package control is the operator's door to a running node: verbs as JSON
// over a Unix socket in the data folder. Whoever may open the socket (its
// mode is 0600) is the operator; there is no other authentication and no
// network listener. The verbs themselves belong to package portal.
package control
