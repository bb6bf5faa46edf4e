// Package static serves the portal's own design files from the binary: the
// cut-down KERN stylesheet, the layer over it, and the Fira Sans font.
//
// Every file has an address that contains a hash of its content and may be
// kept by browsers for ever; text is compressed once, at Load. The licences
// of what others made are served beside it: KERN-LICENSE.md (EUPL-1.2) and
// FIRA-OFL.txt (OFL 1.1).
package static
