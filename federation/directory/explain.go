package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Rule names one rule of DESIGN §4 in an explanation.
type Rule string

// The rules in the order in which they are tried.
const (
	RulePlace      Rule = "place"         // §4.1
	RuleKey        Rule = "key"           // §4.3: exact, without detail, object
	RuleArea       Rule = "area"          // §4.3: from the most specific area upwards
	RuleRole       Rule = "role"          // §4.2: only 01 and 02
	RuleScope      Rule = "scope"         // §4.2: inside the granted scope
	RuleExcept     Rule = "exception"     // §4.2
	RuleValid      Rule = "validity"      // §4.2
	RuleDelegation Rule = "delegation"    // §4.2
	RuleConflict   Rule = "conflict"      // §4.4
	RuleCopy       Rule = "copy"          // §4.5: a member without copy
	RuleAnswer     Rule = "answer"        // §4.5
	RuleSpecific   Rule = "more-specific" // §4.3: somebody nearer answers
	RuleReach      Rule = "reach"         // §4.6
)

// Verdict is what a rule did to its subject.
type Verdict string

// The verdicts.
const (
	Fired   Verdict = "fired"   // the rule decided
	Passed  Verdict = "passed"  // the rule let the subject through
	Refused Verdict = "refused" // the rule took the subject out
	Empty   Verdict = "empty"   // nothing to apply the rule to
)

// Step is one line of an explanation. Text is one plain German sentence.
type Step struct {
	Rule    Rule                `json:"rule"`
	Verdict Verdict             `json:"verdict"`
	Text    string              `json:"text"`
	Leika   leika.ID            `json:"leika,omitzero"`
	Area    region.Area         `json:"area,omitzero"`
	Member  federation.EntityID `json:"member,omitempty"`
	Offer   catalog.ID          `json:"offer,omitempty"`
}

// Explanation is an Answer with how it came about [DESIGN §4.7].
type Explanation struct {
	Answer Answer
	Steps  []Step
}

// Appearance says for an editor whether an offer is shown for a place, and
// with each rule why not [UX.md §8].
type Appearance struct {
	Ref   OfferRef    `json:"ref"`
	Place region.Area `json:"place"`
	Shown bool        `json:"shown"`
	Steps []Step      `json:"steps"`
}

// Sign is one cell of the coverage matrix [UX.md §8].
type Sign string

// The signs.
const (
	SignOnline    Sign = "online"    // responsible in the place itself, online
	SignDescribed Sign = "described" // responsible in the place itself, information only
	SignParent    Sign = "parent"    // a wider authority or a utility
	SignConflict  Sign = "conflict"  // two or more members
	SignNobody    Sign = "nobody"
	SignUnknown   Sign = "unknown" // a member that could be responsible was never heard
)

// Cell is one cell of the coverage matrix.
type Cell struct {
	Sign   Sign
	Online bool // also for SignParent and SignConflict
	Reason Reason
	Member federation.EntityID // the first responsible member
}

// Matrix is Leistung × place: Cells[i][j] is for Keys[i] at Places[j].
type Matrix struct {
	Keys    []leika.ID
	Titles  []string // of Keys, "" if nobody offers it
	Places  []region.Area
	Cells   [][]Cell
	Version uint64
}

// Clash is one conflict [DESIGN §4.4]: Members claim Leika in Area at the
// same level, on Date.
type Clash struct {
	Leika   leika.ID
	Title   string
	Area    region.Area
	Members []federation.Member
	Offers  []catalog.ID // of Members, same order
}

// Gap is a Leistung for which nobody is responsible in some of the places
// though others in the network offer it.
type Gap struct {
	Leika   leika.ID
	Title   string
	Places  []region.Area // without an answer
	Unknown []region.Area // where a member has never been heard
	Offered int           // places that have an answer
	Date    time.Time
}

// Explain is Resolve with every step and the rule that fired [DESIGN §4.7].
func (d *Directory) Explain(r Request) Explanation {
	ix := d.index.Load()
	date := d.day(r.Date)
	e := Explanation{Answer: ix.resolve(r, date, d.register)}
	x := explainer{ix: ix, names: d.register, place: r.Place, date: date}
	x.placeStep(&e.Answer)
	switch {
	case unknownPlace(d.register, r.Place):
	case r.Leika.IsZero():
		x.steps = append(x.steps, d.Appears(r.Offer, r.Place, r.Date).Steps...)
	default:
		x.keySteps(r.Leika)
	}
	x.answerStep(&e.Answer)
	e.Steps = x.steps
	return e
}

// explainer walks the same way as find and writes down what it meets. It
// asks match, yields and effective for every verdict, so that it cannot
// disagree with the answer.
type explainer struct {
	ix    *index
	names Register
	place region.Area
	date  time.Time
	steps []Step
}

func (x *explainer) say(s Step, format string, args ...any) {
	s.Text = fmt.Sprintf(format, args...)
	x.steps = append(x.steps, s)
}

func (x *explainer) area(a region.Area) string {
	if a.IsBund() {
		return "Bund"
	}
	if x.names == nil {
		return "Gebiet " + a.String()
	}
	return x.names.Name(a)
}

func (x *explainer) member(slot int32) *member { return x.ix.members[slot] }

func (x *explainer) placeStep(a *Answer) {
	switch {
	case !a.Outdated.IsBund():
		x.say(Step{Rule: RulePlace, Verdict: Fired, Area: a.Place}, "Der Schlüssel %s gilt nicht mehr. Sein Nachfolger ist %s.", a.Outdated, x.area(a.Place))
	case unknownPlace(x.names, a.Place):
		x.say(Step{Rule: RulePlace, Verdict: Refused, Area: a.Place}, "Das Verzeichnis der Gemeinden kennt %s nicht.", a.Place)
	default:
		x.say(Step{Rule: RulePlace, Verdict: Passed, Area: a.Place}, "Der Ort ist %s.", x.area(a.Place))
	}
}

func (x *explainer) keySteps(asked leika.ID) {
	for key, ok := asked, true; ok; key, ok = key.Broader() {
		if key != asked {
			x.say(Step{Rule: RuleKey, Verdict: Fired, Leika: key}, "Kein Gebiet antwortet. Darum wird der allgemeinere Schlüssel %s gesucht.", key)
		} else {
			x.say(Step{Rule: RuleKey, Verdict: Fired, Leika: key}, "Gesucht wird der Schlüssel %s.", key)
		}
		if x.oneKey(key) {
			return
		}
	}
	for _, slot := range x.ix.silent {
		if m := x.member(slot); mayClaim(m, asked, x.place) {
			x.say(Step{Rule: RuleCopy, Verdict: Fired, Member: m.ID}, "Von %s liegt keine Kopie vor. Ob diese Stelle zuständig ist, ist nicht bekannt.", m.Name)
		}
	}
}

// oneKey explains one rung of the ladder and reports whether it answered.
func (x *explainer) oneKey(key leika.ID) bool {
	no, known := x.ix.keys.no(key)
	if !known {
		x.say(Step{Rule: RuleArea, Verdict: Empty, Leika: key}, "Kein Mitglied führt den Schlüssel %s.", key)
		return false
	}
	given := x.ix.given[key]
	for n := x.ix.nodeOf(x.place); n >= 0; n = x.ix.nodes[n].parent {
		var f found
		nd := &x.ix.nodes[n]
		for i := range nd.segments {
			x.claims(&f, &nd.segments[i], no, key, nd.area, given)
		}
		if f.n == 0 {
			x.say(Step{Rule: RuleArea, Verdict: Empty, Leika: key, Area: nd.area}, "%s: niemand beansprucht die Leistung.", x.area(nd.area))
			continue
		}
		if given != nil {
			x.delegations(&f, no, key, given)
			x.ix.yield(&f, no, x.place, x.date, given)
		}
		if f.n == 0 {
			continue
		}
		x.say(Step{Rule: RuleArea, Verdict: Fired, Leika: key, Area: nd.area}, "%s antwortet: das ist das engste Gebiet mit einer gültigen Zuständigkeit.", x.area(nd.area))
		if f.members > 1 {
			x.say(Step{Rule: RuleConflict, Verdict: Fired, Leika: key, Area: nd.area}, "%d Stellen beanspruchen die Leistung auf derselben Ebene.", f.members)
		}
		return true
	}
	return false
}

// claims explains what one member claims in one area.
func (x *explainer) claims(f *found, s *segment, no uint32, key leika.ID, area region.Area, given []delegation) {
	to, ok := s.find(no)
	if !ok {
		return
	}
	m := x.member(s.slot)
	x.ix.match(f, s, no, x.place, x.date, given)
	if to < s.offers {
		x.claimed(m, int32(to), key, area)
		return
	}
	for _, c := range s.extra[to-s.offers] {
		x.claim(m, s.slot, &c, key, area, given)
	}
}

func (x *explainer) claimed(m *member, offer int32, key leika.ID, area region.Area) {
	step := Step{Rule: RuleRole, Verdict: Passed, Leika: key, Area: area, Member: m.ID}
	if o := m.offer(offer); o != nil {
		step.Offer = o.ID
	}
	x.say(step, "%s beansprucht die Leistung für %s.", m.Name, x.area(area))
}

// claim explains one claim that needs a look. It reports whether it counts.
func (x *explainer) claim(m *member, slot int32, c *claim, key leika.ID, area region.Area, given []delegation) bool {
	step := Step{Verdict: Refused, Leika: key, Area: area, Member: m.ID}
	if o := m.offer(c.offer); o != nil {
		step.Offer = o.ID
	}
	from := delegatedTo(given, slot, x.place, x.date)
	switch {
	case !c.valid.At(x.date):
		step.Rule = RuleValid
		x.say(step, "Die Zuständigkeit von %s gilt am %s nicht (%s).", m.Name, x.date.Format("02.01.2006"), span(c.valid))
	case excepted(c.except, x.place):
		step.Rule = RuleExcept
		x.say(step, "%s nimmt %s von der Zuständigkeit für %s aus.", m.Name, x.area(x.place), x.area(area))
	case c.outside && from < 0:
		step.Rule = RuleScope
		x.say(step, "%s darf das für %s nicht beanspruchen: es ist nicht gewährt und nicht übertragen.", m.Name, x.area(area))
	case c.outside:
		step.Rule, step.Verdict = RuleDelegation, Passed
		x.say(step, "%s darf das, weil %s die Aufgabe übertragen hat.", m.Name, x.member(from).Name)
		return true
	default:
		x.claimed(m, c.offer, key, area)
		return true
	}
	return false
}

func span(v catalog.Validity) string {
	switch {
	case v.From.IsZero():
		return "bis vor dem " + v.To.Format("02.01.2006")
	case v.To.IsZero():
		return "ab dem " + v.From.Format("02.01.2006")
	}
	return "ab dem " + v.From.Format("02.01.2006") + ", bis vor dem " + v.To.Format("02.01.2006")
}

func (x *explainer) delegations(f *found, no uint32, key leika.ID, given []delegation) {
	for i := range f.n {
		h := f.at(i)
		m := x.member(h.slot)
		if x.ix.yields(h.slot, no, x.place, x.date, given) {
			x.say(Step{Rule: RuleDelegation, Verdict: Refused, Leika: key, Member: m.ID}, "%s hat die Aufgabe hier übertragen und tritt zurück.", m.Name)
		}
	}
	for i := range given {
		g := &given[i]
		if g.area.Covers(x.place) && g.valid.At(x.date) && !x.ix.effective(g, no, x.place, x.date, given) {
			x.say(Step{Rule: RuleDelegation, Verdict: Empty, Leika: key, Member: g.toID}, "%s hat die Aufgabe an %s übertragen. Dort ist sie nicht eingetragen, darum ändert das nichts.", x.member(g.from).Name, g.toID)
		}
	}
}

func (x *explainer) answerStep(a *Answer) {
	step := Step{Rule: RuleAnswer, Verdict: Fired, Leika: a.Matched, Area: a.MatchedArea}
	switch {
	case a.Reason == Unknown && a.Outside:
		x.say(step, "Kein Mitglied des Verbunds betreut diesen Ort. Darum ist nicht bekannt, wer zuständig ist.")
	case a.Reason == Unknown:
		x.say(step, "Es ist nicht bekannt, wer zuständig ist.")
	case !a.Found():
		x.say(step, "Niemand hat diese Aufgabe eingetragen. Alle Stellen, die es könnten, sind bekannt.")
	case a.Reason == Conflict:
		x.say(step, "Mehrere Stellen sind eingetragen: %s.", providerNames(a.Providers))
	default:
		x.say(step, "Zuständig ist %s.", providerNames(a.Providers))
	}
}

func providerNames(list []Provider) string {
	var names []string
	for i := range list {
		if n := list[i].Member.Name; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}
