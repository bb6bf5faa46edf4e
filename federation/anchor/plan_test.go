package anchor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/region"
)

func scope(areas ...string) federation.Scope {
	var s federation.Scope
	for _, a := range areas {
		s.Subtree = append(s.Subtree, region.MustArea(a))
	}
	return s
}

// A plan stands in the mark at once and is carried out on its day, even if the
// hub was down when it began.
func TestPlan(t *testing.T) {
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	id := p.entity.ID
	in := h.clock.Now().Add(30 * 24 * time.Hour)
	first := in.UTC().Truncate(24 * time.Hour)
	if err := h.Plan(t.Context(), "op", id, federation.Planned{From: in, Scope: scope("034590024024", "034590008008")}, "Fusion"); err != nil {
		t.Fatal(err)
	}
	c := p.refreshMark(t)
	next, err := c.Planned()
	if err != nil || next == nil || !next.From.Equal(first) || len(next.Scope.Subtree) != 2 || len(c.Scope().Areas) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	chain, err := h.resolver.Resolve(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := chain.Member(); err != nil || m.Next == nil || !m.Next.From.Equal(first) {
		t.Errorf("the member's chain says %+v %v", m.Next, err)
	}
	if err := h.CarryOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, _ := h.Show(t.Context(), id); m.Next == nil || len(m.Scope.Areas) != 1 {
		t.Error("carried out before its day")
	}
	h.clock.Add(33 * 24 * time.Hour)
	for range 2 {
		if err := h.CarryOut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	m, err := h.Show(t.Context(), id)
	if err != nil || m.Next != nil || len(m.Scope.Subtree) != 2 || m.Generation != 3 {
		t.Errorf("%+v %v", m, err)
	}
	records, err := h.Audit(t.Context(), 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, r := range records {
		if r.Action == "plan" || r.Action == "plan-done" {
			seen = append(seen, r.Action+" "+r.By)
		}
		if r.Action == "plan" && !strings.Contains(r.Reason, "Fusion, "+first.Format(time.DateOnly)) {
			t.Errorf("reason %q", r.Reason)
		}
	}
	if got := strings.Join(seen, ", "); got != "plan op, plan-done op" {
		t.Errorf("the trail says %s", got)
	}
}

func TestPlanRefused(t *testing.T) {
	h := newHub(t)
	id := h.member(t, "melle", "034590024024").entity.ID
	soon := h.clock.Now().Add(48 * time.Hour)
	for what, c := range map[string]struct {
		id   federation.EntityID
		p    federation.Planned
		want error
	}{
		"today":       {id, federation.Planned{From: h.clock.Now(), Scope: scope("034590024024")}, anchor.ErrPlanDay},
		"far away":    {id, federation.Planned{From: soon.AddDate(20, 0, 0), Scope: scope("034590024024")}, anchor.ErrPlanDay},
		"no day":      {id, federation.Planned{Scope: scope("034590024024")}, anchor.ErrPlanDay},
		"other Kreis": {id, federation.Planned{From: soon, Scope: scope("03460")}, anchor.ErrScope},
		"stranger":    {"https://nobody.example", federation.Planned{From: soon, Scope: scope("034590024024")}, anchor.ErrNotMember},
	} {
		if err := h.Plan(t.Context(), "op", c.id, c.p, ""); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if err := h.Unplan(t.Context(), "op", id); !errors.Is(err, anchor.ErrNoPlan) {
		t.Error(err)
	}
	if err := h.Plan(t.Context(), "op", id, federation.Planned{From: soon}, ""); err != nil { // everything is given away
		t.Error(err)
	}
	if err := h.Unplan(t.Context(), "op", id); err != nil {
		t.Error(err)
	}
	if m, err := h.Show(t.Context(), id); err != nil || m.Next != nil {
		t.Errorf("%+v %v", m.Next, err)
	}
	if err := h.Suspend(t.Context(), "op", id, "x"); err != nil {
		t.Fatal(err)
	}
	if err := h.Plan(t.Context(), "op", id, federation.Planned{From: soon, Scope: scope("034590024024")}, ""); !errors.Is(err, anchor.ErrState) {
		t.Error(err)
	}
}
