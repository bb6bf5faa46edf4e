package trust

import (
	"fmt"
	"time"

	"rathausnetz/federation"
)

// Chain is a verified trust chain with what follows from it. It is immutable
// and may be shared.
type Chain struct {
	Leaf       federation.EntityID
	Anchor     federation.EntityID
	Superior   federation.EntityID // the hub directly above; equals Leaf for an anchor
	Statements []*Statement        // leaf configuration, subordinate statements upwards, anchor configuration
	Metadata   Metadata            // resolved: superior metadata, constraints and policies applied
	Marks      []Mark              // verified ones only
	Keys       JWKS                // federation keys of the leaf
	Expires    time.Time           // earliest end of statements and membership mark
	Generation uint64              // of the membership, see Notice
	Steps      []Step
}

// Verdict is the outcome of one step.
type Verdict string

// The verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictRefused Verdict = "refused"
	VerdictDropped Verdict = "dropped" // a part was left out, the rest holds
	VerdictNote    Verdict = "note"
)

// Step is one rule applied to one statement, for "trust explain".
type Step struct {
	Rule    string  `json:"rule"`    // e.g. "signature [OIDF §10.2]"
	Subject string  `json:"subject"` // statement or value it was applied to
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"`
}

// Compacts returns the chain as it goes into a trust_chain header [OIDF §4.3].
func (c *Chain) Compacts() []string {
	out := make([]string, len(c.Statements))
	for i, s := range c.Statements {
		out[i] = s.Compact
	}
	return out
}

// Valid reports whether the chain holds at now.
func (c *Chain) Valid(now time.Time) bool { return now.Before(c.Expires) }

// Membership returns the verified zustaendigkeit mark.
func (c *Chain) Membership() (Mark, bool) {
	for _, m := range c.Marks {
		if m.Type == MarkType(c.Anchor) {
			return m, true
		}
	}
	return Mark{}, false
}

// Member returns the member as the network has verified it. Without a valid
// zustaendigkeit mark it wraps ErrMark.
func (c *Chain) Member() (federation.Member, error) {
	return federation.Member{}, fmt.Errorf("%s: %w: no membership mark", c.Leaf, ErrMark)
}
