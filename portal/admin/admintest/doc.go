// Package admintest holds the operator pages to their table of roles: Walk
// asks every page and verb with every role and with none. It imports no
// testing, so that sections, the portal and the demonstration can use it.
package admintest
