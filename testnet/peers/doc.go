// Command peers measures the directory beside what somebody would take
// instead: SQLite, PostgreSQL, Redis, Bleve and nginx. It loads one seeded
// synthetic network into each of them, asks all of them the same questions in
// turns, holds their answers against each other, and prints tables in Markdown
// with ratios and processor time.
//
// The drivers it needs are no dependencies of the product: everything but a
// stub has the build tag peers, and make bench-peers builds it with a copy of
// go.mod that has them in addition.
package main
