package catalog

import (
	"bytes"
	"encoding/json"
	"testing"

	"rathausnetz/federation"
)

// FuzzManifest: a manifest that is read is written back to the same bytes,
// and no manifest makes Unpack hang or panic.
func FuzzManifest(f *testing.F) {
	for _, n := range []int{0, 3, 40} {
		b, err := json.Marshal(pack(f, sampleCatalogue(n, 1)).Manifest)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Manifest
		if json.Unmarshal(b, &m) != nil {
			return
		}
		first, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again Manifest
		if err := json.Unmarshal(first, &again); err != nil || again.Digest() != m.Digest() {
			t.Fatalf("%s is read back as something else: %v", first, err)
		}
		if c, err := Unpack(m, func(federation.Digest) ([]byte, error) { return []byte("x"), nil }); err == nil {
			t.Fatalf("unpacked %d offers from nothing", len(c.Offers))
		}
	})
}

// FuzzChunk decodes the lines of one chunk; what is accepted must be
// accepted again after it was normalised and written.
func FuzzChunk(f *testing.F) {
	c := sampleCatalogue(2, 1)
	c.Units, c.Delegations = nil, nil
	for i := range c.Offers {
		b, err := json.Marshal(record{Offer: &c.Offers[i]})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, '\n'))
	}
	f.Add([]byte(`{"u":{"id":"a:b","name":{"de":"Amt"}}}` + "\n"))
	f.Add([]byte(`{"d":{"id":"a:b","leika":"99154078000000","areas":["03459"],"to":"https://x.example"}}` + "\n"))
	f.Fuzz(func(t *testing.T, lines []byte) {
		var b bucket
		if b.parse(lines, 0, 1) != nil {
			return
		}
		c := &Catalogue{Offers: b.offers, Units: b.units, Delegations: b.delegations}
		c.Normalize()
		out := make([]bytes.Buffer, 1)
		if err := c.encode(out); err != nil {
			t.Fatalf("accepted, but cannot be encoded: %v", err)
		}
		var again bucket
		if err := again.parse(out[0].Bytes(), 0, 1); err != nil {
			t.Fatalf("encoded, but cannot be parsed: %v", err)
		}
	})
}
