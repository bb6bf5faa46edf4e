package testnet

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strings"

	"rathausnetz/config"
	"rathausnetz/discovery"
	"rathausnetz/federation"
	"rathausnetz/federation/directory/directorytest"
	"rathausnetz/federation/region"
	"rathausnetz/portal"
	"rathausnetz/portal/web/brand"
	"rathausnetz/testnet/data"
)

// ErrSpec is wrapped by every fault of a Spec.
var ErrSpec = errors.New("testnet: cannot be started")

// hubName is the folder and host name of the Landkreis.
const hubName = "landkreis"

// Spec says what to run. The zero value is the demonstration: the Landkreis
// Osnabrück with its hub, four Gemeinden, a Samtgemeinde and a utility, on
// free ports, in a temporary folder, over plain http on loopback names.
type Spec struct {
	Dir       string           // data folders; "" is a temporary one that Close removes
	BasePort  int              // http from here, gossip 100 above, that of hubs 200; 0 takes free ports
	TLS       bool             // https with a CA made in memory
	Members   int              // how many nodes beside the hub; 0 means the demonstration's own
	Register  *region.Register // nil: the built-in Kreis
	Kreis     region.Area      // zero: 03459
	Follow    bool             // every second member takes no part in gossip, as behind a firewall
	Neighbour bool             // the Landkreis Vechta beside the demonstration, no Land above; Members and Kreis are ignored
	// Synthetic invents a Kreis of Members Gemeinden, for sizes that no real
	// one has, out of Seed; more members than the built-in Kreis has places for
	// do so by themselves. Up to 30 members each offers about 400 services;
	// above that only Offers of them: by default 20 with 100 members, 6 with 300.
	Synthetic bool
	Seed      uint64
	Offers    int
	Anchors   bool              // a Land above two Landkreise of three nodes each; Members and Kreis are ignored
	Profile   discovery.Profile // zero: discovery.Loopback
	Control   bool              // open the operator's sockets, so that the command line can speak to the nodes
	OnEvent   func(Event)       // told what happens; called from many goroutines, must return at once
	OnJoined  func(in, of int)  // told after each wave of a crowd how many members hold everything
	// Upstreams names further account sources of a hub; it is asked once the
	// hub has its address.
	Upstreams func(hub federation.EntityID) []config.Upstream
	Log       *slog.Logger
	network   *directorytest.Network // of Synthetic
}

// body is one participant before it has an address.
type body struct {
	name    string // host name below .localhost
	kind    federation.Kind
	legal   string
	short   string
	area    region.Area // claims this and everything inside
	utility bool
	follows bool   // the news by outbound HTTPS
	leads   bool   // a hub
	below   string // the name of its hub; "" for the first hub's own and for who stands on top
	portal  portal.Portal
	brand   brand.Brand
	files   map[string][]byte // index.txt, XZuFi files, delegationen.yaml; nil: no catalogue
}

// demoBodies reads the participants of the demonstration, the hub first.
func demoBodies() ([]body, error) {
	var out []body
	for _, name := range data.Nodes {
		sub, err := fs.Sub(data.FS, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSpec, name, err)
		}
		b, err := readBody(name, sub)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSpec, name, err)
		}
		if name == hubName {
			out = append([]body{b}, out...)
		} else {
			out = append(out, b)
		}
	}
	if len(out) == 0 || out[0].name != hubName {
		return nil, fmt.Errorf("%w: the demonstration has no hub", ErrSpec)
	}
	return out, nil
}

// readBody reads a folder of the demonstration. Who it is follows from its
// portal file: a home of 12 digits is a Gemeinde, of 9 a Samtgemeinde; without
// one it is the hub or a utility.
func readBody(name string, files fs.FS) (body, error) {
	p, br, err := portal.ReadPortal(files, "portal.yaml")
	if err != nil {
		return body{}, err
	}
	b := body{name: name, legal: p.Name, short: p.ShortName, area: p.Home, portal: p, brand: br}
	switch {
	case name == hubName:
		b.kind, b.area = federation.KindLandkreis, p.Network.Area
	case p.Home.IsBund():
		b.kind, b.area, b.utility = federation.KindUnternehmen, p.Network.Area, true
	case p.Home.Len() == 9:
		b.kind = federation.KindSamtgemeinde
	default:
		b.kind = federation.KindGemeinde
	}
	b.leads = name == hubName
	b.files, err = readCatalogue(files)
	return b, err
}

func readCatalogue(files fs.FS) (map[string][]byte, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext != ".xml" && ext != ".txt" && e.Name() != delegations && e.Name() != handwritten {
			continue
		}
		if out[e.Name()], err = fs.ReadFile(files, e.Name()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// elsewhere is the demonstration's hub and one of its Gemeinden carried over
// to another Kreis: the same texts, other names and keys. Its portals say that
// they are a demonstration, like all here.
func elsewhere(demo []body, reg *region.Register, kreis region.Area) ([]body, error) {
	place, ok := reg.Place(kreis)
	if !ok {
		return nil, fmt.Errorf("%w: the register has no Kreis %s", ErrSpec, kreis)
	}
	hub := demo[0]
	hub.legal, hub.short, hub.area = place.FullName, place.Name, kreis
	hub.portal.Name, hub.portal.ShortName = place.FullName, place.Name
	hub.portal.Network = portal.Network{Area: kreis, Name: place.FullName}
	hub.brand.Name, hub.brand.ShortName, hub.brand.Greeting = place.FullName, place.Name, "Willkommen beim "+place.FullName
	hub.files = carried(hub.files, demo[0].legal, place.FullName, demo[0].area.String(), kreis.String())
	delete(hub.files, delegations)
	return []body{hub}, nil
}

// carried replaces words in all files; pairs are old and new in turn.
func carried(files map[string][]byte, pairs ...string) map[string][]byte {
	r := strings.NewReplacer(pairs...)
	out := make(map[string][]byte, len(files))
	for name, b := range files {
		out[name] = []byte(r.Replace(string(b)))
	}
	return out
}

// furtherBodies makes participants of the Gemeinden of the Kreis that are not
// there yet, until there are n beside the hub. They have the pattern's
// catalogue under their own name and key.
func furtherBodies(have []body, pattern body, reg *region.Register, kreis region.Area, n int) []body {
	taken := map[region.Area]bool{}
	for _, b := range have {
		taken[b.area] = !b.utility
	}
	colors := []string{"#175c3a", "#8f1d2c", "#12406e", "#5b3a86", "#7a4a00", "#00595c"}
	for i, g := range reg.Gemeinden(kreis) {
		if len(have) > n {
			break
		}
		if covered(taken, g.Area) {
			continue
		}
		b := pattern
		b.below = have[0].below
		b.name, b.kind, b.legal, b.short, b.area = slug(g.Name), federation.KindGemeinde, g.FullName, g.Name, g.Area
		b.portal.Name, b.portal.ShortName, b.portal.Home = g.FullName, g.Name, g.Area
		b.portal.Network = have[0].portal.Network
		b.brand.Name, b.brand.ShortName, b.brand.Greeting = g.FullName, g.Name, "Willkommen in "+g.Name
		b.brand.Color = brand.MustColor(colors[i%len(colors)])
		b.files = carried(pattern.files, pattern.legal, g.FullName, pattern.short, g.Name, pattern.area.String(), g.Area.String(),
			pattern.name+"."+data.PlaceholderHost, b.name+"."+data.PlaceholderHost)
		have = append(have, b)
	}
	return have
}

func covered(taken map[region.Area]bool, a region.Area) bool {
	for _, n := range []int{12, 9} {
		if taken[a.Truncate(n)] {
			return true
		}
	}
	return false
}

// slug makes a host name of a place name.
func slug(name string) string {
	name, _, _ = strings.Cut(strings.ToLower(name), ",")
	name = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(name)
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name), "-")
}
