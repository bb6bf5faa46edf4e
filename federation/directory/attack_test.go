package directory

import (
	"slices"
	"testing"
	"time"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// TestI136_TwoMembersWithOneClaim: two members hold valid claims for one key and
// place. Both are named, the hub lists them, and who came first makes no
// difference.
func TestI136_TwoMembersWithOneClaim(t *testing.T) {
	sources := parseNetwork("a: " + keyVerb + " " + gemA + "\nb: " + keyVerb + " " + gemB + "\nkreis: " + keyVerb + " " + gemB)
	var answers []string
	for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
		d := newTestDirectory()
		for _, i := range order {
			d.Replace(sources[i])
		}
		a := ask(d, keyVerb, gemB)
		if a.Reason != Conflict || len(a.Providers) != 2 {
			t.Fatalf("order %v: %s", order, summary(&a))
		}
		answers = append(answers, summary(&a))
		c := d.Conflicts(time.Time{})
		if len(c) != 1 || c[0].Leika != leika.MustParse(keyVerb) || c[0].Area != region.MustArea(gemB) || len(c[0].Members) != 2 {
			t.Errorf("order %v: the hub's list is %+v", order, c)
		}
		var members []string
		for _, m := range c[0].Members {
			members = append(members, string(m.ID))
		}
		if !slices.Contains(members, string(id("kreis"))) || !slices.Contains(members, string(id("b"))) {
			t.Errorf("order %v: named are %v", order, members)
		}
	}
	if answers[0] != answers[1] || answers[0] != answers[2] {
		t.Errorf("the order of arrival decides: %q", answers)
	}
	// One of them lets go: there is no conflict left.
	d := newTestDirectory(sources...)
	d.Remove(id("kreis"))
	if a := ask(d, keyVerb, gemB); a.Reason != Own || len(d.Conflicts(time.Time{})) != 0 {
		t.Errorf("after one let go: %s", summary(&a))
	}
}
