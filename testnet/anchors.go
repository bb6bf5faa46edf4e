package testnet

import (
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
	"rathausnetz/testnet/data"
)

// The second Landkreis of Spec.Anchors and the Land above both.
const (
	landName   = "land"
	secondName = "emsland"
	perKreis   = 2 // Gemeinden of each Landkreis
)

// secondKreis is the Landkreis Emsland with two of its Gemeinden, for where no
// larger register is loaded. Source: Destatis, GV100AD, 31.08.2025.
func secondKreis() *region.Edition {
	place := func(ars, name, full, plz string) region.Place {
		a := region.MustArea(ars)
		p := region.Place{Area: a, Name: name, Official: name, FullName: full, PLZ: plz}
		p.AGS, _ = a.AGS()
		return p
	}
	return &region.Edition{Date: time.Date(2025, 8, 31, 0, 0, 0, 0, time.UTC), Covers: []region.Area{region.MustArea("03454")}, Places: []region.Place{
		place("03454", "Emsland", "Landkreis Emsland", ""),
		place("034540010010", "Emsbüren", "Gemeinde Emsbüren", "48488"),
		place("034540014014", "Geeste", "Gemeinde Geeste", "49744"),
	}}
}

// anchorBodies is a Land with two Landkreise: Osnabrück from the
// demonstration, and Emsland with the same texts carried over. The first
// Landkreis comes first, the Land last.
func anchorBodies(reg *region.Register) ([]body, error) {
	demo, err := demoBodies()
	if err != nil {
		return nil, err
	}
	first := demo[:1:1]
	for _, b := range demo[1:] {
		if b.name == "bissendorf" || b.name == "melle" {
			first = append(first, b)
		}
	}
	kreis := region.MustArea("03454")
	if _, ok := reg.Place(kreis); !ok {
		reg = region.NewRegister(region.DemoEdition(), secondKreis())
	}
	second, err := elsewhere(demo, reg, kreis)
	if err != nil {
		return nil, err
	}
	hub := &second[0]
	hub.name = secondName
	hub.files = carried(hub.files, hubName+"."+data.PlaceholderHost, secondName+"."+data.PlaceholderHost)
	second = furtherBodies(second, pattern(demo), reg, kreis, perKreis)
	if len(second) != perKreis+1 {
		return nil, fmt.Errorf("%w: %s has places for only %d members", ErrSpec, reg.Name(kreis), len(second)-1)
	}
	for i := range first[1:] {
		first[i+1].below = hubName
	}
	for i := range second[1:] {
		second[i+1].below = secondName
	}
	first[0].below, second[0].below = landName, landName
	return append(append(first, second...), theLand(demo[0])), nil
}

// theLand publishes nothing here: it is the trust anchor.
func theLand(hub body) body {
	area, name := region.MustArea("03"), "Land Niedersachsen"
	b := hub
	b.name, b.kind, b.legal, b.short, b.area, b.files = landName, federation.KindLand, name, "Niedersachsen", area, nil
	b.portal.Name, b.portal.ShortName = name, b.short
	b.portal.Network = portal.Network{Area: area, Name: name}
	b.brand.Name, b.brand.ShortName, b.brand.Greeting = name, b.short, "Willkommen beim Land Niedersachsen"
	return b
}

// leads reports whether the node is a hub.
func (m *Member) leads() bool { return m.body.leads }

// circle is the hub whose members gossip with each other: hubs of several
// Landkreise do not.
func (m *Member) circle() *Member {
	if m.leads() || m.above == nil {
		return m
	}
	return m.above
}

// above is the hub that b joins. A Land is added last, so it takes what is
// below it then.
func (nw *Network) above(b body) *Member {
	if b.leads && b.below == "" {
		return nil
	}
	name := b.below
	if name == "" {
		name = hubName
	}
	return nw.Member(name)
}
