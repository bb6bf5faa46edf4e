package hub_test

import (
	"net/url"
	"testing"
	"time"

	"rathausnetz/portal/admin/admintest"
	"rathausnetz/portal/admin/staff"
)

// A hand-over is shown before it is planned, planned, announced and can be
// taken back.
func TestHandover(t *testing.T) {
	f := open(t)
	p := f.signIn(t, staff.Verbund)
	id := string(melle)
	admintest.Said(t, p.Open("/verwaltung/verbund/uebergaben"), 200, "Zurzeit ist nichts geplant.", "Stadt Melle")
	admintest.Said(t, p.Open("/verwaltung/verbund/uebergabe?id="+url.QueryEscape(id)), 200, "Gebiet heute", "Stadt Melle (034590024024)")
	form := url.Values{"id": {id}, "tag": {"2027-01-01"}, "gebiet": {"Belm"}, "grund": {"Neuer Zuschnitt"}}
	admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe", form), 200, "So sieht es ab 1. Januar 2027 aus", "Hund anmelden", "Stadt Melle", "niemand")
	if m, err := f.anchor.Show(t.Context(), melle); err != nil || m.Next != nil {
		t.Fatalf("the preview has planned something: %+v %v", m.Next, err)
	}
	form.Set("schritt", "planen")
	admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe", form), 303)
	m, err := f.anchor.Show(t.Context(), melle)
	if err != nil || m.Next == nil || !m.Next.From.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) || m.Next.Scope.Subtree[0] != areaBelm || m.Scope.Subtree[0] != areaMelle {
		t.Fatalf("%+v %v", m, err)
	}
	admintest.Said(t, p.Open("/verwaltung/verbund/uebergaben"), 200, "Die Übergabe am 1. Januar 2027 ist geplant.", "Gemeinde Belm (034590008008)", "abdeckung?tag=2027-01-01", "Neuer Zuschnitt")
	admintest.Said(t, p.Open("/verwaltung/verbund/mitglied?id="+url.QueryEscape(id)), 200, "Ab 1. Januar 2027 ändert sich das Gebiet")
	admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe/absagen", url.Values{"id": {id}}), 303)
	admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe/absagen", url.Values{"id": {id}}), 409, "Hier ist nichts geplant")
	for what, c := range map[string]struct {
		form url.Values
		want string
	}{
		"past":   {url.Values{"id": {id}, "tag": {"2026-01-01"}, "gebiet": {"Melle"}, "schritt": {"planen"}}, "in der Zukunft"},
		"no day": {url.Values{"id": {id}, "gebiet": {"Melle"}}, "Bitte wählen Sie einen Tag."},
		"abroad": {url.Values{"id": {id}, "tag": {"2027-01-01"}, "gebiet": {"03460"}, "schritt": {"planen"}}, "gehört nicht zu Ihrem Verbund"},
		"empty":  {url.Values{"id": {id}, "tag": {"2027-01-01"}}, "mindestens ein Gebiet"},
	} {
		t.Run(what, func(t *testing.T) { admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe", c.form), 422, c.want) })
	}
	admintest.Said(t, p.Send("/verwaltung/verbund/uebergabe", url.Values{"id": {id}, "tag": {"2027-01-01"}, "alles": {"1"}, "schritt": {"planen"}}), 303)
	if m, err := f.anchor.Show(t.Context(), melle); err != nil || m.Next == nil || len(m.Next.Scope.Subtree) != 0 {
		t.Errorf("%+v %v", m.Next, err)
	}
	admintest.Said(t, p.Open("/verwaltung/verbund/uebergabe?id="+url.QueryEscape(id)), 200, `id="alles" checked`)
	if got := f.noted(t, "unplan"); got != "staff:"+p.Account.ID+" https://melle.example " {
		t.Errorf("trail: %q", got)
	}
}
