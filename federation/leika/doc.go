// Package leika holds the key of the Leistungskatalog der öffentlichen
// Verwaltung as a value: 14 digits, instance (2), Leistungsgruppierung (3),
// Leistungskennung or object (3), Verrichtung (3), Verrichtungsdetail (3).
// It owns parsing, the parts and the ladder from detail to object; which
// Leistung a key stands for is data (see Register) and never guessed.
package leika
