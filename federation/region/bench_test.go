package region

import (
	"bytes"
	"testing"
)

func BenchmarkReadGV100AD(b *testing.B) {
	file := sharedFile(b, file2025)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadGV100AD(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoadGermany is reading and indexing: what a node does at start.
func BenchmarkLoadGermany(b *testing.B) {
	file := sharedFile(b, file2025)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		e, err := ReadGV100AD(bytes.NewReader(file))
		if err != nil {
			b.Fatal(err)
		}
		NewRegister(e)
	}
}

func benchmarkLookup(b *testing.B, query string, candidates int) {
	r := germany(b, file2025)
	if got := len(r.Lookup(query, noDate).Candidates); got != candidates {
		b.Fatalf("%d candidates, want %d", got, candidates)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Lookup(query, noDate)
	}
}

func BenchmarkLookupAGS(b *testing.B)      { benchmarkLookup(b, "03459012", 1) }
func BenchmarkLookupARS(b *testing.B)      { benchmarkLookup(b, "034595402001", 1) }
func BenchmarkLookupVerband(b *testing.B)  { benchmarkLookup(b, "034595402", 1) }
func BenchmarkLookupPLZ(b *testing.B)      { benchmarkLookup(b, "49577", 3) }
func BenchmarkLookupName(b *testing.B)     { benchmarkLookup(b, "Bissendorf", 1) }
func BenchmarkLookupNameTwo(b *testing.B)  { benchmarkLookup(b, "Bersenbrück", 2) }
func BenchmarkLookupNameLong(b *testing.B) { benchmarkLookup(b, "Hagen a.T.W.", 1) }
func BenchmarkLookupKind(b *testing.B)     { benchmarkLookup(b, "Samtgemeinde Bersenbrück", 1) }
func BenchmarkLookupAlike(b *testing.B)    { benchmarkLookup(b, "Bisendorf", 1) }
func BenchmarkLookupUnknown(b *testing.B)  { benchmarkLookup(b, "Entenhausen", 0) }

func BenchmarkFind(b *testing.B) {
	r := germany(b, file2025)
	b.ReportAllocs()
	for b.Loop() {
		r.Find("*brück", 20)
	}
}
