// Package brand owns what a municipality may change about its portal: name,
// Wappen, title image, one main colour and texts. Everything else follows:
// six CSS variables and a dark-mode tone are derived from the main colour in
// OKLCH so that text and links reach the contrast WCAG 2.2 asks for.
//
// It also owns the gate for uploaded pictures: PNG and JPEG are checked by
// their first bytes, SVG is rebuilt from a list of allowed elements. It
// serves nothing and reads no files; portal/web does.
package brand
