package catalog

import (
	"encoding/json"
	"fmt"
	"testing"
)

func BenchmarkPack(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := sampleCatalogue(n, 1)
			raw, err := json.Marshal(c)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(raw)))
			var p *Packed
			for b.Loop() {
				p = pack(b, c)
			}
			b.ReportMetric(float64(len(raw))/float64(n), "raw-B/offer")
			b.ReportMetric(float64(p.Bytes()), "packed-B")
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := pack(b, sampleCatalogue(n, 1))
			for b.Loop() {
				if _, err := Unpack(p.Manifest, from(p, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDelta applies one changed offer to a held catalogue.
func BenchmarkDelta(b *testing.B) {
	for _, n := range []int{500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := sampleCatalogue(n, 1)
			old := pack(b, c)
			before, err := UnpackFrom(nil, old.Manifest, from(old, nil))
			if err != nil {
				b.Fatal(err)
			}
			c.Offers[n/2].Synonyms = []string{"Geändert"}
			p := pack(b, c)
			b.ReportMetric(float64(deltaBytes(b, old, p)), "delta-B")
			for b.Loop() {
				if _, err := UnpackFrom(before, p.Manifest, from(p, nil)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
