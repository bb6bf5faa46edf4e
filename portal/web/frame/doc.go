// Package frame draws pages that share one frame: a head, a foot and, between
// them, what the page itself defines as "main". All pages of a Set live in one
// template set; a clone for each would cost every node ten megabytes.
package frame
