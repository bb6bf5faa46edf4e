// Package branding keeps what a municipality has changed about its portal in
// the operator pages: a draft, the published versions, their pictures. The
// portal file of the configuration is version 0, the one before anybody has
// published anything.
//
// It checks a draft when it is saved [UX.md §3] and hands a published brand to
// the pages at once, on every replica within seconds. What a brand is, how
// colours are derived and pictures cleaned, is with portal/web/brand.
package branding
