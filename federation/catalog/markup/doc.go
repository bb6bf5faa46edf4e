// Package markup knows the one form HTML may have in a catalogue: p br h1–h6
// b strong i em sup sub ul ol li and a href, which is what the Portalverbund
// accepts. IsClean decides, Cleaner brings foreign markup into that form.
//
// Whoever takes texts in (federation/xzufi, federation/catalog/sheet) cleans
// them; whoever receives a catalogue checks it and refuses.
package markup
