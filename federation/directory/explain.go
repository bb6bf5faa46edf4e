package directory

import (
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
