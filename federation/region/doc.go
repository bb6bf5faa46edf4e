// Package region knows the administrative areas of Germany: Area (a prefix
// of the Amtlicher Regionalschlüssel, ARS), AGS, postal codes, names, and the
// register that maps them to each other over time [GV100AD].
//
// An Area is compared by its levels 12 → 9 → 5 → 3 → 2 → Bund and never by
// arbitrary string prefixes. The register of the demonstration Kreis is built
// in; any other is loaded from the official file. The package resolves names
// to candidates and leaves every choice between them to the caller.
package region
