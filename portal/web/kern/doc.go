// Package kern holds the part of the KERN design system's stylesheet that the
// portal's pages use [KERN 2.7], and the program that cuts it out of the
// published one. The licence (EUPL-1.2) is served beside it.
//
// The rule ":is(body,…):not([class*=kern-level-])" has to survive every cut:
// it sets all "-contextual" colours, and without it every municipality turns
// the design system's blue.
package kern

//go:generate go run ./purge
