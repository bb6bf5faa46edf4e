package testnet

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rathausnetz/discovery"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/mirror"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/xzufi"
)

// The synthetic Kreis. No Land has the number 99 and no Leistungsgruppierung
// of LeiKa begins with 8: an invented key cannot be taken for a real one. All
// names say that they are invented.
const (
	syntheticKreis = "99901"
	invented       = " (erfunden)"
	inventedLeika  = 800_000_000_000 // added to the group of every key
	maxSynthetic   = 990             // an AGS has three digits for the Gemeinde
	// crowdAbove is how many members may have catalogues of realistic size:
	// every node holds all of them, so their number counts twice.
	crowdAbove = 30
	// crowdTotal is about how many offers such a crowd has in all.
	crowdTotal = 2000
	// carriedTowns have the demonstration's texts, so that the journeys find
	// what they look for.
	carriedTowns = 2
	// reuseChains is how old a verified chain of the shared resolver may be.
	reuseChains = 30 * time.Second
)

// syntheticRegister is a Kreis with n Gemeinden that do not exist.
func syntheticRegister(gen *directorytest.Network, n int) *region.Register {
	place := func(ars, name, full string, kind region.Type) region.Place {
		a := region.MustArea(ars)
		p := region.Place{Area: a, Name: name, Official: name, FullName: full, Type: kind}
		p.AGS, _ = a.AGS()
		return p
	}
	kreis := region.MustArea(syntheticKreis)
	e := &region.Edition{Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Source: "Erfundenes Gebiet, kein amtliches Verzeichnis", Covers: []region.Area{kreis}}
	e.Places = append(e.Places, place(syntheticKreis, "Musterkreis"+invented, "Landkreis Musterkreis"+invented, region.Landkreis))
	for i, m := 0, 0; m < n; i++ {
		if gen.Member(i).Seat.Len() != 12 {
			continue
		}
		m++
		name := gen.Member(i).Name
		e.Places = append(e.Places, place(fmt.Sprintf("%s%04d%03d", syntheticKreis, m, m), name, "Gemeinde "+name+invented, region.Gemeinde))
	}
	return region.NewRegister(e)
}

// syntheticBodies is an invented Kreis of n Gemeinden: the hub and two
// Gemeinden carry the demonstration's texts, the others generated ones.
func (s Spec) syntheticBodies(demo []body) ([]body, error) {
	bodies, err := elsewhere(demo, s.Register, s.Kreis)
	if err != nil {
		return nil, err
	}
	bodies[0].brand.Greeting = "Willkommen im erfundenen Landkreis"
	bodies = furtherBodies(bodies, pattern(demo), s.Register, s.Kreis, min(s.Members, carriedTowns))
	plain := pattern(demo)
	plain.files = nil
	bodies = furtherBodies(bodies, plain, s.Register, s.Kreis, s.Members)
	gen, at := s.network, 0
	for i := range bodies[min(len(bodies), 1+carriedTowns):] {
		b := &bodies[1+carriedTowns+i]
		for gen.Member(at).Seat.Len() != 12 { // its hubs are not taken
			at++
		}
		if b.files, err = syntheticFiles(gen.Source(at).Catalogue, b.area, s.Offers); err != nil {
			return nil, err
		}
		at++
	}
	return bodies, nil
}

// syntheticFiles is a generated catalogue as its member would deliver it. At
// most count of its services are kept, the most common ones; 0 keeps all.
func syntheticFiles(c *catalog.Catalogue, area region.Area, count int) (map[string][]byte, error) {
	if count > 0 && count < len(c.Offers) {
		c.Offers = c.Offers[:count]
	}
	for i := range c.Offers {
		o := &c.Offers[i]
		o.ID = "ERFUNDEN:" + o.ID
		o.Leika += leika.ID(inventedLeika)
		o.Zustaendigkeiten = []catalog.Zustaendigkeit{{ID: catalog.ID(fmt.Sprintf("ERFUNDEN:Z%d", i)), Area: area, Role: catalog.Zustaendig, Unit: "ERFUNDEN:U"}}
		o.Onlinedienste = nil // a form that nobody answers would be a lie
		o.Geaendert = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for i := range c.Units {
		c.Units[i].ID, c.Units[i].Area = "ERFUNDEN:U", area
	}
	slices.SortFunc(c.Offers, func(a, b catalog.Offer) int { return cmp.Compare(a.ID, b.ID) })
	files, err := xzufi.Files(c)
	if err != nil {
		return nil, fmt.Errorf("%w: generated catalogue: %w", ErrSpec, err)
	}
	out := make(map[string][]byte, len(files))
	for _, f := range files {
		out[f.Name] = f.Data
	}
	return out, nil
}

// synthesise puts an invented Kreis into the place of the built-in one.
func (s *Spec) synthesise() error {
	if s.Members < carriedTowns || s.Members > maxSynthetic {
		return fmt.Errorf("%w: an invented Kreis has %d to %d members", ErrSpec, carriedTowns, maxSynthetic)
	}
	s.network = directorytest.New(directorytest.Spec{Seed: s.Seed, Members: s.Members + s.Members/20 + 3, Texts: true}) // some of them are Kreise
	s.Kreis = region.MustArea(syntheticKreis)
	s.Register = syntheticRegister(s.network, s.Members)
	if s.Offers == 0 && s.Members > crowdAbove {
		s.Offers = crowdOffers(s.Members)
	}
	return nil
}

// idleConns bounds the kept-alive connections of one node: both ends of each
// are files of this process.
func (s Spec) idleConns() int {
	if s.Members <= crowdAbove {
		return 0
	}
	return max(4, 3000/s.Members)
}

// share makes the one resolver of a crowd: each of n nodes verifying all others
// for itself would cost n² signatures before anything can be looked at.
func (nw *Network) share() error {
	hub := nw.Hub()
	if err := nw.prepare(hub); err != nil {
		return err
	}
	keys, err := trust.LoadKeys(hub.dir("data", "keys"))
	if err != nil {
		return err
	}
	nw.resolver, err = trust.NewResolver(trust.ResolverConfig{
		HTTP: &http.Client{Transport: nw.Transport()}, AllowLoopback: true, Reuse: reuseChains, Log: nw.log.With("node", "all"),
		Anchors: []trust.Anchor{{ID: hub.Entity, Keys: keys.FederationJWKS()}},
	})
	return err
}

// limits are those of one node's copies: a crowd that starts pulls from each
// other at once.
func (s Spec) limits() mirror.Limits {
	if s.Members <= crowdAbove {
		return mirror.Limits{}
	}
	return mirror.Limits{Pulls: 2, RequestTimeout: time.Minute}
}

// rosterPause keeps what all nodes of a crowd spend on looking at who is a
// member to a few percent of a core.
func (s Spec) rosterPause() time.Duration {
	if s.Members <= crowdAbove {
		return 0
	}
	return time.Duration(s.Members) * 10 * time.Millisecond
}

// crowdOffers is what each of n members then offers.
func crowdOffers(n int) int { return max(4, crowdTotal/n) }

// crowdProfile is for n nodes on a few cores: probing, not gossip, is what
// costs [PERF].
func crowdProfile(n int) discovery.Profile {
	p := discovery.Loopback()
	if n <= 150 {
		p.PushPullInterval = 30 * time.Second
		return p
	}
	w := discovery.WAN()
	w.RejoinInterval, w.LeaveTimeout = 2*time.Second, p.LeaveTimeout
	return w
}
