package directory

import (
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/region"
)

// Appears says whether an offer is shown for a place on a date, and why not.
func (d *Directory) Appears(ref OfferRef, place region.Area, date time.Time) Appearance {
	ix := d.index.Load()
	x := explainer{ix: ix, names: d.register, place: place, date: d.day(date)}
	a := Appearance{Ref: ref, Place: place}
	a.Shown = x.appears(ref)
	a.Steps = x.steps
	return a
}

func (x *explainer) appears(ref OfferRef) bool {
	m, slot := x.ix.member(ref.Member)
	if m == nil {
		x.say(Step{Rule: RuleCopy, Verdict: Refused, Member: ref.Member}, "%s ist kein Mitglied des Verbunds.", ref.Member)
		return false
	}
	if !m.hasCopy {
		x.say(Step{Rule: RuleCopy, Verdict: Refused, Member: m.ID}, "Von %s liegt hier keine Kopie des Katalogs vor.", m.Name)
		return false
	}
	i := m.find(ref.ID)
	if i < 0 {
		x.say(Step{Rule: RuleCopy, Verdict: Refused, Member: m.ID, Offer: ref.ID}, "Im Katalog von %s (Nummer %d) steht dieses Angebot nicht.", m.Name, m.serial)
		return false
	}
	o := m.offer(i)
	x.say(Step{Rule: RuleCopy, Verdict: Passed, Member: m.ID, Offer: o.ID}, "Das Angebot steht im Katalog von %s, Nummer %d.", m.Name, m.serial)
	claimed := x.offerClaims(m, slot, o)
	if o.Leika.IsZero() {
		return claimed || x.reach(m, o)
	}
	return claimed && x.chosen(m, slot, i, o)
}

// offerClaims explains each Zustaendigkeit of an offer and reports whether
// one holds for the place.
func (x *explainer) offerClaims(m *member, slot int32, o *catalog.Offer) bool {
	if len(o.Zustaendigkeiten) == 0 {
		x.say(Step{Rule: RuleRole, Verdict: Refused, Member: m.ID, Offer: o.ID}, "Das Angebot nennt keine zuständige Stelle.")
		return false
	}
	var given []delegation
	if !o.Leika.IsZero() {
		given = x.ix.given[o.Leika]
	}
	some := false
	inKey := m.Scope.CoversKey(o.Leika)
	for z := range o.Zustaendigkeiten {
		zu := &o.Zustaendigkeiten[z]
		step := Step{Verdict: Refused, Leika: o.Leika, Area: zu.Area, Member: m.ID, Offer: o.ID}
		switch {
		case !zu.Role.Responsible():
			step.Rule = RuleRole
			x.say(step, "Die Rolle %s für %s ist nur eine Anlaufstelle, keine Zuständigkeit.", zu.Role, x.area(zu.Area))
		case !zu.Area.Covers(x.place):
			step.Rule = RuleArea
			x.say(step, "Die Zuständigkeit für %s schließt %s nicht ein.", x.area(zu.Area), x.area(x.place))
		default:
			c, _ := m.claim(0, int32(z), o, inKey)
			c.offer = m.find(o.ID)
			some = x.claim(m, slot, &c, o.Leika, zu.Area, given) || some
		}
	}
	return some
}

// reach explains an offer without key outside its area [DESIGN §4.6].
func (x *explainer) reach(m *member, o *catalog.Offer) bool {
	step := Step{Rule: RuleReach, Member: m.ID, Offer: o.ID}
	switch {
	case o.Reach != catalog.ReachNetwork:
		step.Verdict = Refused
		x.say(step, "Das Angebot gilt nur in seinem eigenen Gebiet.")
	case !o.Valid.At(x.date):
		step.Verdict = Refused
		x.say(step, "Das Angebot gilt am %s nicht (%s).", x.date.Format("02.01.2006"), span(o.Valid))
	default:
		step.Verdict = Passed
		x.say(step, "Das Angebot ist für alle Orte im Verbund offen und erscheint als Angebot aus einem Nachbarort.")
		return true
	}
	return false
}

// chosen explains whether this offer, or a nearer one, answers for its key.
func (x *explainer) chosen(m *member, slot, offer int32, o *catalog.Offer) bool {
	var f found
	x.ix.findKey(&f, o.Leika, x.place, x.date)
	for i := range f.n {
		if f.at(i).slot == slot && f.at(i).offer == offer {
			x.say(Step{Rule: RuleAnswer, Verdict: Passed, Leika: o.Leika, Member: m.ID, Offer: o.ID}, "Das Angebot erscheint für %s.", x.area(x.place))
			return true
		}
	}
	for i := range f.n {
		other := x.member(f.at(i).slot)
		area := x.ix.nodes[f.node].area
		step := Step{Rule: RuleSpecific, Verdict: Refused, Leika: o.Leika, Area: area, Member: other.ID}
		if f.at(i).via == slot {
			step.Rule = RuleDelegation
			x.say(step, "%s hat die Aufgabe hier an %s übertragen.", m.Name, other.Name)
		} else {
			x.say(step, "Für %s ist ein engeres Gebiet eingetragen: %s mit %s.", x.area(x.place), other.Name, x.area(area))
		}
	}
	return false
}
