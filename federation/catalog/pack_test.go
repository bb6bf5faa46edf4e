package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"rathausnetz/federation"
)

// from serves the chunks of p and counts the calls.
func from(p *Packed, calls *int) func(federation.Digest) ([]byte, error) {
	return func(d federation.Digest) ([]byte, error) {
		if calls != nil {
			*calls++
		}
		b, ok := p.Chunks[d]
		if !ok {
			return nil, fmt.Errorf("no chunk %s", d.Short())
		}
		return b, nil
	}
}

func pack(t testing.TB, c *Catalogue) *Packed {
	t.Helper()
	p, err := Pack(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPackUnpack(t *testing.T) {
	for _, n := range []int{0, 1, 3, 100, 300} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			want := sampleCatalogue(n, 1)
			p := pack(t, want)
			got, err := Unpack(p.Manifest, from(p, nil))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("unpacked catalogue differs: %+v", Compare(want, got))
			}
		})
	}
}

func TestPackIsDeterministic(t *testing.T) {
	a, b := sampleCatalogue(120, 3), sampleCatalogue(120, 3)
	for i, j := 0, len(b.Offers)-1; i < j; i, j = i+1, j-1 {
		b.Offers[i], b.Offers[j] = b.Offers[j], b.Offers[i]
	}
	pa, pb := pack(t, a), pack(t, b)
	if pa.Manifest.Digest() != pb.Manifest.Digest() || !reflect.DeepEqual(pa.Chunks, pb.Chunks) {
		t.Fatal("the same records in another order give other bytes")
	}
	b.Offers[5].Synonyms = append(b.Offers[5].Synonyms, "Anderes")
	if pack(t, b).Manifest.Digest() == pa.Manifest.Digest() {
		t.Fatal("another catalogue has the same digest")
	}
}

// sealedSize is what trust.Sign makes of a manifest: base64 of claims and
// header, and a signature of 86 characters.
func sealedSize(t testing.TB, m Manifest) int {
	t.Helper()
	m.IssuedAt, m.Expires, m.Previous = 1767600000, 1768200000, federation.Sum([]byte("before"))
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return (len(b)+2)/3*4 + 300
}

// deltaBytes is what a holder of old has to fetch for new.
func deltaBytes(t testing.TB, old, new *Packed) int {
	t.Helper()
	n := sealedSize(t, new.Manifest)
	for d, b := range new.Chunks {
		if _, ok := old.Chunks[d]; !ok {
			n += len(b)
		}
	}
	return n
}

func TestOneChangedOfferIsCheap(t *testing.T) {
	for _, tt := range []struct{ offers, limit, share, tries int }{{500, 6 << 10, 10, 5}, {5000, 12 << 10, 40, 1}} {
		t.Run(fmt.Sprint(tt.offers), func(t *testing.T) {
			c := sampleCatalogue(tt.offers, 11)
			old := pack(t, c)
			worst, sum, tries := 0, 0, 0
			for i := 0; i < len(c.Offers); i += len(c.Offers) / tt.tries {
				was := c.Offers[i].Synonyms
				c.Offers[i].Synonyms = []string{"Geändert", "Neu"}
				n := deltaBytes(t, old, pack(t, c))
				worst, sum, tries = max(worst, n), sum+n, tries+1
				c.Offers[i].Synonyms = was
			}
			full := old.Bytes() + sealedSize(t, old.Manifest)
			t.Logf("%d offers: full %d bytes, manifest %d, one offer changed: mean %d, worst %d bytes", tt.offers, full, sealedSize(t, old.Manifest), sum/tries, worst)
			if worst > tt.limit || worst > full/tt.share {
				t.Errorf("one changed offer costs up to %d bytes, allowed are %d and 1/%d of %d", worst, tt.limit, tt.share, full)
			}
		})
	}
}

func TestUnpackFromDecodesOnlyChanges(t *testing.T) {
	c := sampleCatalogue(500, 5)
	old := pack(t, c)
	before, err := UnpackFrom(nil, old.Manifest, from(old, nil))
	if err != nil {
		t.Fatal(err)
	}
	c.Serial = 2
	c.Offers[77].Title = Text{"de": "Etwas anderes"}
	p := pack(t, c)
	calls := 0
	after, err := UnpackFrom(before, p.Manifest, from(p, &calls))
	if err != nil {
		t.Fatal(err)
	}
	if want := len(p.Manifest.Groups) + 1; calls != want {
		t.Errorf("%d chunks read, want %d", calls, want)
	}
	if !reflect.DeepEqual(after.Catalogue, c) {
		t.Error("incremental result differs")
	}
	if before.Catalogue.Offers[77].Title["de"] == "Etwas anderes" {
		t.Error("the previous catalogue was changed")
	}
}

// TestUnpackFromFollowsAnyChange adds, changes and removes records at random;
// the incremental result is always that of a full Unpack.
func TestUnpackFromFollowsAnyChange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := sampleCatalogue(60, 9)
	var held *Unpacked
	for step := range 12 {
		c.Serial++
		for range 1 + r.IntN(5) {
			switch i := r.IntN(len(c.Offers)); r.IntN(4) {
			case 0:
				o := sampleOffer(r, 1000+step*10+r.IntN(10), c.Units[0].ID, bissendorf)
				if !slices.ContainsFunc(c.Offers, func(x Offer) bool { return x.ID == o.ID }) {
					c.Offers = append(c.Offers, o)
				}
			case 1:
				c.Offers = slices.Delete(c.Offers, i, i+1)
			case 2:
				c.Units[r.IntN(len(c.Units))].Phone = fmt.Sprint(r.IntN(1e6))
			default:
				c.Offers[i].Title = Text{"de": fmt.Sprint("Leistung ", r.IntN(1e6))}
			}
		}
		p := pack(t, c)
		next, err := UnpackFrom(held, p.Manifest, from(p, nil))
		if err != nil {
			t.Fatal(err)
		}
		full, err := Unpack(p.Manifest, from(p, nil))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(next.Catalogue, full) || !reflect.DeepEqual(full, c) {
			t.Fatalf("step %d: incremental and full differ: %+v", step, Compare(full, next.Catalogue))
		}
		held = next
	}
}

func TestUnpackRefuses(t *testing.T) {
	c := sampleCatalogue(40, 2)
	good := pack(t, c)
	repack := func(edit func(lines [][]byte) [][]byte) (*Packed, Manifest) {
		return forge(t, c, edit)
	}
	type hostile struct {
		name string
		m    func() (Manifest, func(federation.Digest) ([]byte, error))
		want error
	}
	forged := func(edit func(lines [][]byte) [][]byte) func() (Manifest, func(federation.Digest) ([]byte, error)) {
		return func() (Manifest, func(federation.Digest) ([]byte, error)) {
			p, m := repack(edit)
			return m, from(p, nil)
		}
	}
	manifest := func(edit func(*Manifest)) func() (Manifest, func(federation.Digest) ([]byte, error)) {
		return func() (Manifest, func(federation.Digest) ([]byte, error)) {
			m := good.Manifest
			m.Groups = append(RefList(nil), m.Groups...)
			edit(&m)
			return m, from(good, nil)
		}
	}
	tests := []hostile{
		{"version", manifest(func(m *Manifest) { m.Version = 2 }), ErrVersion},
		{"serial 0", manifest(func(m *Manifest) { m.Serial = 0 }), ErrManifest},
		{"counts", manifest(func(m *Manifest) { m.Offers++ }), ErrManifest},
		{"negative count", manifest(func(m *Manifest) { m.Offers = -1 }), ErrLimit},
		{"huge count", manifest(func(m *Manifest) { m.Offers = 1 << 30 }), ErrLimit},
		{"buckets not a power of two", manifest(func(m *Manifest) { m.Buckets = 3 }), ErrManifest},
		{"too many buckets", manifest(func(m *Manifest) { m.Buckets = 1 << 20 }), ErrManifest},
		{"no groups", manifest(func(m *Manifest) { m.Groups = nil }), ErrManifest},
		{"groups swapped", manifest(func(m *Manifest) { m.Groups[0], m.Groups[1] = m.Groups[1], m.Groups[0] }), ErrChunk},
		{"group size", manifest(func(m *Manifest) { m.Groups[0].Size++ }), ErrDigest},
		{"half the buckets", manifest(func(m *Manifest) { m.Buckets /= 2 }), ErrChunk},
		{"wrong bytes", func() (Manifest, func(federation.Digest) ([]byte, error)) {
			return good.Manifest, func(d federation.Digest) ([]byte, error) {
				b := append([]byte(nil), good.Chunks[d]...)
				b[len(b)/2] ^= 1
				return b, nil
			}
		}, ErrDigest},
		{"duplicate record", forged(func(l [][]byte) [][]byte { return append([][]byte{l[0]}, l...) }), ErrChunk},
		{"record in another bucket", forged(func(l [][]byte) [][]byte {
			return append(l, []byte(`{"d":{"id":"zz:elsewhere-7","leika":"99154078000000","areas":["03"],"to":"https://x.example"}}`+"\n"))
		}), ErrChunk},
		{"unknown field", forged(func(l [][]byte) [][]byte { return append(l, []byte(`{"o":{"id":"a:b","evil":1}}`+"\n")) }), ErrChunk},
		{"unknown kind", forged(func(l [][]byte) [][]byte { return append(l, []byte(`{"x":1}`+"\n")) }), ErrChunk},
		{"no line end", forged(func(l [][]byte) [][]byte { return append(l, []byte(`{"o":{"id":"a:b"}}`)) }), ErrChunk},
		{"endless line", forged(func(l [][]byte) [][]byte { return append(l, make([]byte, MaxRecord+2)) }), ErrChunk},
		{"zip bomb", forged(func(l [][]byte) [][]byte { return append(l, make([]byte, MaxChunkRaw+1)) }), ErrLimit},
		{"script in a text", forged(func(l [][]byte) [][]byte { return [][]byte{evilOffer(t, c, "<script>alert(1)</script>", "")} }), ErrInvalid},
		{"script in a link", forged(func(l [][]byte) [][]byte { return [][]byte{evilOffer(t, c, "", "javascript:alert(1)")} }), ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, chunk := tt.m()
			if got, err := Unpack(m, chunk); !errors.Is(err, tt.want) || got != nil {
				t.Fatalf("Unpack = %v, %v; want %v", got != nil, err, tt.want)
			}
		})
	}
}
