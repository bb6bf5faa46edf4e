// Package markup turns the reduced HTML of a catalogue's texts into HTML for
// the portal's pages [XZuFi 2.2 modulText]. Texts come from other members: they
// are signed, but not trusted. Nothing but paragraphs, lists, emphasis and
// links to https, mailto and tel comes out, every element is closed, and
// headings become bold paragraphs, so that a text cannot disturb the outline
// of the page around it.
package markup
