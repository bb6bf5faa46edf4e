// Package allowance lets many takers do something a limited number of times,
// each on its own account: logins of an address, remarks of a member. It keeps
// a token bucket for each in memory, a bounded number of them, and writes
// nothing down. What a taker is, and what a refusal answers, is its caller's.
package allowance
