// Package leika holds the key of the Leistungskatalog der öffentlichen
// Verwaltung as a value: 14 digits, instance (2), Leistungsgruppierung (3),
// Leistungskennung or object (3), Verrichtung (3), Verrichtungsdetail (3).
//
// It owns parsing, the parts and the ladder from detail to object (ID), and
// an optional Register of names that an operator loads. Which Leistung a key
// stands for is data and never guessed: a key that a Register does not list
// is unknown to it, not wrong. Keys that do not begin with 99 belong to the
// catalogue of one Land.
package leika
