// Package policy is the metadata policy of OpenID Federation 1.0 [OIDF §6.1]:
// what a superior demands of the metadata of those below it. It merges
// policies from the trust anchor downwards and applies the result, with the
// seven standard operators value, add, default, one_of, subset_of, superset_of
// and essential. It is pure: JSON values in, JSON values out.
package policy
