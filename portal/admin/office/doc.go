// Package office is the part of the operator pages for whoever looks after the
// content of one node: a list of work, the records with why they appear or do
// not, links, remarks of citizens, the table round trip, the import, how often
// pages are read, and the look of the portal with its preview [UX.md §8, §3].
//
// It draws and asks; what is decided lies elsewhere: catalog.Gates says what
// may be published, directory.Appears what is shown, portal/links what a link
// is worth, portal/branding what a look may be.
package office
