// Package visits counts how often the pages of single Leistungen are opened,
// so that editors can begin with what is read most. It counts pages and
// nothing else: no address, no cookie, no time of day, no order of pages.
// Numbers are summed up for whole days and forgotten after 100 days.
package visits
