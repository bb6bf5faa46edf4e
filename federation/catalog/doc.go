// Package catalog is what one member offers: its Leistungen (Offer) with
// Zustaendigkeiten and Onlinedienste, its Organisationseinheiten (Unit) and
// what it has delegated to others. The package decides: it validates, checks
// the publish gates and the granted scope, and turns a catalogue into
// content-addressed chunks and a manifest and back [DESIGN §3].
//
// It leaves reading XZuFi to federation/xzufi, signatures to federation/trust
// and keeping copies to federation/mirror. It does no I/O.
package catalog
