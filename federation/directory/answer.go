package directory

import (
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Source is what a node holds of one member. Replace takes it over; nothing
// in it may be changed afterwards.
type Source struct {
	Member federation.Member
	// Catalogue is the verified copy, nil for a member of which no copy is
	// held: then answers that depend on it are Unknown, not None.
	Catalogue *catalog.Catalogue
	// Load reads offer i of Catalogue again, for a node that keeps texts on
	// disk. If it is set, the directory keeps its index, the units and the
	// delegations in memory and drops the offers. It must be safe for
	// concurrent use, and Catalogue must be normalized. nil keeps the whole
	// Catalogue.
	Load      func(i int) (*catalog.Offer, error)
	Serial    uint64
	Fetched   time.Time // when the copy was made
	Stale     bool      // the copy is past its time
	Reachable bool      // the member answers now
}

// OfferRef names one offer of one member; the zero value names none.
type OfferRef struct {
	Member federation.EntityID `json:"member,omitempty"`
	ID     catalog.ID          `json:"offer,omitempty"`
}

// IsZero reports whether r names no offer.
func (r OfferRef) IsZero() bool { return r == OfferRef{} }

// Request asks who is responsible. Exactly one of Leika and Offer is set.
type Request struct {
	Leika leika.ID
	Offer OfferRef
	// Place is the area as the register knows it today. An outdated key is
	// replaced by the caller (region.Register), who sets Outdated to the old
	// one so that the answer can say so.
	Place    region.Area
	Outdated region.Area
	Date     time.Time // zero means now; only the day counts
}

// Reason is the code of the rule that fired [DESIGN §4.5] [UX.md §5.2].
type Reason string

// The reasons. Own, Parent, Delegated and WholeArea describe one provider;
// Successor, Conflict, None and Unknown only a whole Answer.
const (
	// Own: the asked Gemeinde (or whatever area was asked) does it itself;
	// the member's seat is that place.
	Own Reason = "own"
	// Parent: a wider territorial authority does it: Samtgemeinde,
	// Landkreis, Land or Bund.
	Parent Reason = "parent"
	// Delegated: another member has given the task away (Provider.Via), or
	// the hub has granted a Gemeinde a scope outside its own seat (Via empty).
	Delegated Reason = "delegated"
	// WholeArea: a public utility does it for an area, or an offer without
	// LeiKa key is open to the whole network.
	WholeArea Reason = "whole-area"
	// Successor: as one of the above (see Provider.Reason), for a place whose
	// old key was replaced by its successor.
	Successor Reason = "successor"
	// Conflict: two or more members claim it at the same level.
	Conflict Reason = "conflict"
	// None: nobody claims it, and every member that could has been heard.
	None Reason = "none"
	// Unknown: the place is not one of the network's, or a member that could
	// be responsible has never been heard: no copy of its catalogue is held.
	Unknown Reason = "unknown"
)

// Answer is the one value that page, API, CLI, coverage and explainer use
// [DESIGN §2.4]. It shares memory with the index: read only.
type Answer struct {
	Reason   Reason
	Asked    leika.ID    // zero for an offer without key
	Offer    OfferRef    // as asked
	Place    region.Area // as asked
	Outdated region.Area // as asked
	Date     time.Time   // midnight UTC of the day the answer is for
	Outside  bool        // no member of the network serves this place at all

	Matched     leika.ID    // the key that answered, Asked or broader
	MatchedArea region.Area // the area that answered, Place or wider
	// Providers are the responsible members, at most one entry per member
	// and offer, in the order of Compare on area, member ID, offer ID. More
	// than one member means Conflict. Empty for None and Unknown.
	Providers []Provider
	// Contacts are units with role 03 for the key in the place: whom to ask,
	// not who decides.
	Contacts []Provider
	Notices  []Notice
	// Upcoming is the first change of responsibility after Date, nil if none
	// is known.
	Upcoming *Change
	// Version is that of the index; it grows with every change.
	Version uint64
}

// Found reports whether somebody is responsible.
func (a *Answer) Found() bool { return len(a.Providers) > 0 }

// First returns the first provider, nil if there is none.
func (a *Answer) First() *Provider {
	if len(a.Providers) == 0 {
		return nil
	}
	return &a.Providers[0]
}

// Exact reports whether the asked key itself answered.
func (a *Answer) Exact() bool { return a.Found() && a.Matched == a.Asked }

// Provider is one responsible member with the offer and claim that make it so.
type Provider struct {
	Reason         Reason // own, parent, delegated or whole-area
	Member         federation.Member
	Offer          *catalog.Offer
	Unit           *catalog.Unit // nil if the claim names none or an unknown one
	Zustaendigkeit catalog.Zustaendigkeit
	// Onlinedienste are those open on the date in the place, in the order
	// of the catalogue; empty means not online.
	Onlinedienste []catalog.Onlinedienst
	Serial        uint64
	Geaendert     time.Time // last change of the offer by an editor
	Fetched       time.Time // age of the copy
	Stale         bool
	Reachable     bool
	Via           federation.EntityID // the delegating member, "" if none
	ViaName       string              // its short name
	// Neighbour marks an offer that is not meant for the place but open to
	// the network.
	Neighbour bool
}

// Online reports whether the offer can be applied for online.
func (p *Provider) Online() bool { return len(p.Onlinedienste) > 0 }

// NoticeKind says what a Notice is about.
type NoticeKind string

// The notices.
const (
	// NoticeSuccessor: Area (old) is now Place.
	NoticeSuccessor NoticeKind = "successor"
	// NoticeBroaderKey: no claim for the asked key; Leika answered.
	NoticeBroaderKey NoticeKind = "broader-key"
	// NoticeNoCopy: Member could be responsible too, or instead, but no copy
	// of its catalogue is held.
	NoticeNoCopy NoticeKind = "no-copy"
	// NoticeStale: the copy of Member's catalogue is past its time.
	NoticeStale NoticeKind = "stale"
	// NoticeUnreachable: Member does not answer at the moment.
	NoticeUnreachable NoticeKind = "unreachable"
	// NoticeUnknownPlace: the register does not know Area.
	NoticeUnknownPlace NoticeKind = "unknown-place"
	// NoticeOutside: no member of the network serves Area.
	NoticeOutside NoticeKind = "outside"
	// NoticeUnclaimed: Member was given the task by Via but does not claim
	// it, so the delegation has no effect.
	NoticeUnclaimed NoticeKind = "unclaimed-delegation"
)

// Notice is one remark on an answer; the fields that do not apply are zero.
type Notice struct {
	Kind   NoticeKind          `json:"kind"`
	Member federation.EntityID `json:"member,omitempty"`
	Name   string              `json:"name,omitempty"` // short name of Member
	Via    federation.EntityID `json:"via,omitempty"`
	Area   region.Area         `json:"area,omitzero"`
	Leika  leika.ID            `json:"leika,omitzero"`
	Since  time.Time           `json:"since,omitzero"` // age of the copy
}

// Change is a responsibility that begins later: from Date on, Providers are
// responsible; none means that nobody will be.
type Change struct {
	Date      time.Time
	Providers []Provider
}
