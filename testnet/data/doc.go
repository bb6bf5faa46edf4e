// Package data holds the catalogues and the appearance of the demonstration
// network: the Landkreis Osnabrück (03459), four Gemeinden, one Samtgemeinde
// and a waste utility. LeiKa keys, names and regional keys are real; contacts,
// fees, pictures and texts are made up, and every page says so.
//
// Each folder is one node (see Nodes):
//
//	index.txt, *.xml     the catalogue as XZuFi 2.2, as federation/xzufi
//	                     reads a folder
//	delegationen.yaml    tasks given to other nodes, a list of {leika, areas,
//	                     to, from, to_date}; "to" is the name of a node and
//	                     "to_date" the last day. XZuFi has no element for them,
//	                     and the entity ID of a node is known only at run time.
//	portal.yaml          name, colour, texts and contact of the portal
//	wappen.svg           an invented shield; titelbild.svg: a drawing
//
// Links to online forms stand under https://NODE.demo.invalid/antrag/SLUG:
// the host is a placeholder for the node's own address and must be replaced
// before the catalogue is published.
//
// What the catalogues show on purpose: a claim on the whole Kreis without one
// Gemeinde (the building authority, without Melle), a Gemeinde that answers
// before the Kreis (Wohngeld in Melle), delegations (Wallenhorst,
// Bersenbrück), a Samtgemeinde that answers for seven Gemeinden with one key
// of 9 digits, offers without LeiKa key with and without reach into the
// network, offers that are not online, several Levels and payment, texts in
// English, records that have not been changed for years.
//
// Beside are the nodes of the Landkreis next to it, for what two Landkreise
// tell each other: the Landkreis Vechta (03460), Damme and Lohne. Their
// catalogues are hand-written, katalog.yaml in the form of
// federation/catalog/sheet.
//
// The folder konflikt is not a node: one further message of the Landkreis
// that claims for Bissendorf what Bissendorf claims itself, for tests.
package data

import "embed"

// FS holds one folder per node, and konflikt.
//
//go:embed landkreis melle bad-essen bissendorf wallenhorst bersenbrueck abfall konflikt vechta damme lohne
var FS embed.FS

// Nodes names the folders of the nodes; the first is the hub. It is fixed:
// treat it as read-only.
var Nodes = []string{"landkreis", "melle", "bad-essen", "bissendorf", "wallenhorst", "bersenbrueck", "abfall"}

// Beside names the folders of the Landkreis next to it; the first is its hub.
// It is fixed: treat it as read-only.
var Beside = []string{"vechta", "damme", "lohne"}

// PlaceholderHost is the host that online forms of a node have in its
// catalogue, after the node's name and a dot.
const PlaceholderHost = "demo.invalid"
