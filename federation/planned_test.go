package federation

import (
	"testing"
	"time"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

func TestGranted(t *testing.T) {
	day := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	melle, belm, glane := region.MustArea("034590024024"), region.MustArea("034590008008"), region.MustArea("034590004004")
	m := Member{Scope: Scope{Areas: []region.Area{melle, glane}}, Next: &Planned{From: day, Scope: Scope{Areas: []region.Area{belm, glane}, LeikaPrefixes: []string{"99102"}}}}
	dog, pass := leika.MustParse("99102013004000"), leika.MustParse("99008001012000")
	for _, c := range []struct {
		key      leika.ID
		area     region.Area
		from, to time.Time
		ok       bool
	}{
		{dog, melle, time.Time{}, day, true}, {dog, belm, day, time.Time{}, true}, {dog, glane, time.Time{}, time.Time{}, true},
		{pass, glane, time.Time{}, day, true}, {pass, belm, time.Time{}, time.Time{}, false}, {dog, region.MustArea("03459"), time.Time{}, time.Time{}, false},
	} {
		if from, to, ok := m.Granted(c.key, c.area); from != c.from || to != c.to || ok != c.ok {
			t.Errorf("%s in %s: %v %v %v", c.key, c.area, from, to, ok)
		}
	}
	m.Next = nil
	if from, to, ok := m.Granted(dog, melle); !from.IsZero() || !to.IsZero() || !ok || len(m.Grants()) != 1 {
		t.Error("without a plan")
	}
}
