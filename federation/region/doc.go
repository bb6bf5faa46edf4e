// Package region knows the administrative areas of Germany: Area (a prefix
// of the Amtlicher Regionalschlüssel, ARS), AGS, postal codes, names, and the
// Register that maps them to each other over time [GV100AD].
//
// An Area is compared by its levels 12 → 9 → 5 → 3 → 2 → Bund and never by
// arbitrary string prefixes. The register of the demonstration Kreis is built
// in (Demo); any other is read from the official file (ReadGV100AD), and a
// table of postal codes is loaded beside it (AddPLZ). Several editions laid
// over each other show what became of an area that no longer exists
// (Succession), with the evidence for it.
//
// Lookup resolves keys and names to candidates and leaves every choice
// between them to the caller. The package does no I/O beyond the readers it
// is given, and a Register that has been loaded is never changed.
package region
