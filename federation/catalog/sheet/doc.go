// Package sheet is how people without an editorial system work on a
// catalogue: as a table they download, edit and upload again (Write, Read),
// and as a small hand-written YAML file (ReadYAML).
//
// The table is CSV as German spreadsheets write it: semicolons, UTF-8, a byte
// order mark written and tolerated. Every field has two columns, the current
// value and "Neu …". An empty new cell changes nothing, the word "(leer)"
// empties the field. The current value is compared with the catalogue, so that
// an old table does not undo what has changed since. The German texts are
// edited; other languages stay as they are.
//
// Reading is always a dry run: a Plan says line by line what would change, and
// holds the catalogue it would lead to. Whoever publishes decides.
package sheet
