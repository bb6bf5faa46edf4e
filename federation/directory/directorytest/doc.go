// Package directorytest makes a synthetic network of realistic shape from a
// seed: Gemeinden with about 400 services each, Kreise with about 600, Länder
// with about 1,500, drawn from 6,000 distinct services by popularity. Nothing
// in it is a real Leistung, place or authority. It is for benchmarks and
// load, not for the demonstration.
package directorytest
