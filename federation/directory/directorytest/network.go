package directorytest

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Spec says what to make. The zero value is a network of one Kreis.
type Spec struct {
	Seed    uint64
	Members int // 0 is 28: a Kreis with 27 Gemeinden; at most 20,000
	// Texts gives every offer a short text and a description of some 60
	// words; without, offers have titles only.
	Texts bool
	// OnDisk makes sources that load an offer again when it is asked for,
	// as a node does that keeps its texts on disk.
	OnDisk bool
}

// The shape of the network.
const (
	services     = 6000
	perGemeinde  = 400
	perKreis     = 600
	perLand      = 1500
	kreisSize    = 27  // Gemeinden in a Kreis
	landSize     = 700 // Gemeinden in a Land
	maxGemeinden = 20000
)

// Network is made by New. Its methods are deterministic and may be used
// concurrently.
type Network struct {
	spec     Spec
	services []service
	members  []federation.Member
}

type service struct {
	key      leika.ID
	title    catalog.Text
	synonyms []string
	sections []catalog.Section
	online   bool
	audience []string
}

// New makes the services and the members; catalogues are made on demand.
func New(spec Spec) *Network {
	if spec.Members <= 0 {
		spec.Members = kreisSize + 1
	}
	n := &Network{spec: spec}
	n.makeServices()
	n.makeMembers(min(spec.Members, maxGemeinden))
	return n
}

// Len returns the number of members.
func (n *Network) Len() int { return len(n.members) }

// Member returns member i.
func (n *Network) Member(i int) federation.Member { return n.members[i] }

// Keys returns the keys of all services, the most popular first.
func (n *Network) Keys() []leika.ID {
	out := make([]leika.ID, len(n.services))
	for i := range n.services {
		out[i] = n.services[i].key
	}
	return out
}

// Places returns the areas of all Gemeinden.
func (n *Network) Places() []region.Area {
	var out []region.Area
	for i := range n.members {
		if n.members[i].Kind == federation.KindGemeinde {
			out = append(out, n.members[i].Seat)
		}
	}
	return out
}

// makeMembers lays out Länder, Kreise and Gemeinden with made-up ARS.
func (n *Network) makeMembers(count int) {
	add := func(kind federation.Kind, name, ars string) {
		m := federation.Member{
			ID: federation.EntityID("https://" + ars + ".network.example"), Name: name, ShortName: name,
			Kind: kind, Seat: region.MustArea(ars), MarkID: ars,
		}
		m.Scope.Subtree = []region.Area{m.Seat}
		n.members = append(n.members, m)
	}
	for g := 0; len(n.members) < count; g++ {
		land, kreis := g/landSize+1, g%landSize/kreisSize+1
		if g%landSize == 0 && count > landSize {
			add(federation.KindLand, fmt.Sprintf("Land %d", land), fmt.Sprintf("%02d", land))
		}
		if g%landSize%kreisSize == 0 {
			add(federation.KindLandkreis, fmt.Sprintf("Landkreis %d-%d", land, kreis), fmt.Sprintf("%02d0%02d", land, kreis))
		}
		local := g%landSize%kreisSize + 1
		add(federation.KindGemeinde, placeName(g), fmt.Sprintf("%02d0%02d%04d%03d", land, kreis, local, local))
	}
}

// placeName makes a name of two parts that sounds like a place.
func placeName(g int) string {
	first := [...]string{"Alt", "Neu", "Ober", "Unter", "Gross", "Klein", "Hohen", "Nieder", "Wald", "Wasser", "Berg", "Tal", "Stein", "Linden", "Eichen", "Birken", "Erlen", "Moor", "Heide", "Feld"}
	second := [...]string{"dorf", "hausen", "heim", "kirchen", "bach", "berg", "burg", "feld", "wiede", "horst", "brück", "stedt", "rode", "leben", "ingen", "au", "tal", "furt", "stein", "wald"}
	name := first[g%20] + second[g/20%20]
	if g >= 400 {
		name += fmt.Sprintf(" %d", g/400)
	}
	return name
}

// makeServices makes titles from nouns, heads and verbs: most are compounds,
// as in German administration.
func (n *Network) makeServices() {
	r := rand.New(rand.NewPCG(n.spec.Seed, 7))
	n.services = make([]service, services)
	for i := range n.services {
		first, second := nouns[i%len(nouns)], heads[i/len(nouns)%len(heads)]
		verb := verbs[i/7%len(verbs)]
		title := first + second + " " + verb
		if i%5 == 0 {
			title = adjectives[i/5%len(adjectives)] + " " + title
		}
		s := service{
			key:    leika.ID(99_000_000_000_000 + uint64(i%150+1)*1_000_000_000 + uint64(i/150+1)*1_000_000 + uint64(i%200+1)*1000),
			title:  catalog.Text{"de": title},
			online: r.IntN(3) > 0,
		}
		if i%4 == 0 {
			s.synonyms = []string{second + " für " + first, first + "sache"}
		}
		s.audience = [][]string{nil, {"001"}, {"001", "002"}, {"002"}}[r.IntN(4)]
		if n.spec.Texts {
			s.sections = []catalog.Section{
				{Kind: catalog.Kurztext, Text: catalog.Text{"de": sentence(r, 12, title)}},
				{Kind: catalog.Volltext, Text: catalog.Text{"de": "<p>" + sentence(r, 48, title) + "</p>"}},
			}
		}
		n.services[i] = s
	}
	r.Shuffle(len(n.services), func(i, j int) { n.services[i], n.services[j] = n.services[j], n.services[i] })
}

func sentence(r *rand.Rand, words int, title string) string {
	s := title + ":"
	for range words {
		switch r.IntN(3) {
		case 0:
			s += " " + nouns[r.IntN(len(nouns))] + heads[r.IntN(len(heads))]
		case 1:
			s += " " + fillers[r.IntN(len(fillers))]
		default:
			s += " " + verbs[r.IntN(len(verbs))]
		}
	}
	return s + "."
}

// pick draws which services a member offers: the popular ones nearly surely,
// rare ones rarely. The result is ascending.
func (n *Network) pick(i int) []int {
	m := &n.members[i]
	want := perGemeinde
	switch m.Kind {
	case federation.KindLandkreis:
		want = perKreis
	case federation.KindLand:
		want = perLand
	}
	r := rand.New(rand.NewPCG(n.spec.Seed, uint64(i)+1000))
	want += r.IntN(want/2) - want/5
	chosen := make([]bool, services)
	out := make([]int, 0, want)
	// A Kreis and a Land begin elsewhere: their services are other ones.
	shift := map[federation.Kind]int{federation.KindLandkreis: 300, federation.KindLand: 700}[m.Kind]
	for len(out) < want {
		x := (int(float64(want)*1.4*math.Pow(r.Float64(), 1.1)) + shift) % services
		if r.IntN(8) == 0 {
			x = r.IntN(services)
		}
		if !chosen[x] {
			chosen[x] = true
			out = append(out, x)
		}
	}
	slices.Sort(out)
	return out
}

// Source makes the source of member i.
func (n *Network) Source(i int) directory.Source {
	m := n.members[i]
	picked := n.pick(i)
	c := &catalog.Catalogue{
		Member: m.ID, Serial: 1, Offers: make([]catalog.Offer, len(picked)),
		Units: []catalog.Unit{{ID: "U:1", Name: catalog.Text{"de": "Rathaus"}, Area: m.Seat}},
	}
	claims := n.claims(i)
	for k, x := range picked {
		c.Offers[k] = n.offer(x, claims)
	}
	slices.SortFunc(c.Offers, func(a, b catalog.Offer) int { return cmp.Compare(a.ID, b.ID) })
	s := directory.Source{
		Member: m, Catalogue: c, Serial: 1, Reachable: true,
		Fetched: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC),
	}
	if n.spec.OnDisk {
		s.Load = func(k int) (*catalog.Offer, error) {
			o := n.offer(picked[k], claims)
			return &o, nil
		}
	}
	return s
}

// Sources makes the sources of members from to to (not included).
func (n *Network) Sources(from, to int) []directory.Source {
	out := make([]directory.Source, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, n.Source(i))
	}
	return out
}

func (n *Network) claims(i int) []catalog.Zustaendigkeit {
	return []catalog.Zustaendigkeit{{ID: "Z:1", Area: n.members[i].Seat, Role: catalog.Zustaendig, Unit: "U:1"}}
}

// offer is service x with an ID whose order is that of the services.
func (n *Network) offer(x int, claims []catalog.Zustaendigkeit) catalog.Offer {
	s := &n.services[x]
	o := catalog.Offer{
		ID: catalog.ID(fmt.Sprintf("S:%05d", x)), Leika: s.key, Title: s.title, Synonyms: s.synonyms,
		Sections: s.sections, Audience: s.audience, Zustaendigkeiten: claims,
	}
	if s.online {
		o.Onlinedienste = []catalog.Onlinedienst{{ID: "O:1", URL: "https://dienst.example/antrag"}}
	}
	return o
}
