package trust

import (
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
)

// MarkType returns the type of the membership mark below this trust anchor:
// ANCHOR/tm/zustaendigkeit/v1 [SSO.md §3].
func MarkType(anchor federation.EntityID) string { return anchor.URL("/tm/zustaendigkeit/v1") }

// MarkClaims is what a hub says about a member in the zustaendigkeit mark.
type MarkClaims struct {
	Issuer     federation.EntityID `json:"iss"`
	Subject    federation.EntityID `json:"sub"`
	Type       string              `json:"trust_mark_type"`
	IssuedAt   Seconds             `json:"iat"`
	Expires    Seconds             `json:"exp"`
	ID         string              `json:"jti"`
	Ref        string              `json:"ref,omitempty"`
	Delegation string              `json:"delegation,omitempty"`
	LegalName  string              `json:"legal_name"`
	ShortName  string              `json:"short_name,omitempty"`
	Kind       federation.Kind     `json:"kind"`
	AGS        string              `json:"ags,omitempty"`
	Seat       region.Area         `json:"seat"`
	Area       MarkArea            `json:"area"`
	// LeikaPrefixes and OwnOffersOnly as in federation.Scope.
	LeikaPrefixes []string `json:"leika_prefixes,omitempty"`
	OwnOffersOnly bool     `json:"own_offers_only,omitempty"`
	Generation    uint64   `json:"generation,omitempty"` // of the membership, see Notice
	// Next is the grant that replaces this one on a day.
	Next *MarkNext `json:"next,omitempty"`
}

// MarkNext is a grant to come.
type MarkNext struct {
	From          string   `json:"from"` // YYYY-MM-DD; the day begins at midnight UTC
	Area          MarkArea `json:"area"`
	LeikaPrefixes []string `json:"leika_prefixes,omitempty"`
	OwnOffersOnly bool     `json:"own_offers_only,omitempty"`
}

// MarkArea is the area claim.
type MarkArea struct {
	ARS     []region.Area `json:"ars,omitempty"`
	Subtree []region.Area `json:"subtree,omitempty"`
	Except  []region.Area `json:"except,omitempty"`
}

// Scope returns what the mark grants.
func (c MarkClaims) Scope() federation.Scope {
	return federation.Scope{
		Areas: c.Area.ARS, Subtree: c.Area.Subtree, Except: c.Area.Except,
		LeikaPrefixes: c.LeikaPrefixes, OwnOffersOnly: c.OwnOffersOnly,
	}
}

// SetScope is the reverse of Scope.
func (c *MarkClaims) SetScope(s federation.Scope) {
	c.Area = MarkArea{ARS: s.Areas, Subtree: s.Subtree, Except: s.Except}
	c.LeikaPrefixes, c.OwnOffersOnly = s.LeikaPrefixes, s.OwnOffersOnly
}

// Planned returns the grant to come, nil for none.
func (c MarkClaims) Planned() (*federation.Planned, error) {
	if c.Next == nil {
		return nil, nil
	}
	from, err := time.Parse(time.DateOnly, c.Next.From)
	if err != nil {
		return nil, fmt.Errorf("%w: next.from is no day", ErrMark)
	}
	return &federation.Planned{From: from, Scope: federation.Scope{
		Areas: c.Next.Area.ARS, Subtree: c.Next.Area.Subtree, Except: c.Next.Area.Except,
		LeikaPrefixes: c.Next.LeikaPrefixes, OwnOffersOnly: c.Next.OwnOffersOnly,
	}}, nil
}

// SetNext is the reverse of Planned; nil takes it away.
func (c *MarkClaims) SetNext(p *federation.Planned) {
	c.Next = nil
	if p != nil {
		s := p.Scope
		c.Next = &MarkNext{From: p.From.UTC().Format(time.DateOnly), Area: MarkArea{ARS: s.Areas, Subtree: s.Subtree, Except: s.Except}, LeikaPrefixes: s.LeikaPrefixes, OwnOffersOnly: s.OwnOffersOnly}
	}
}

// Mark is a verified trust mark. Claims are complete for the zustaendigkeit
// mark only; other types have the standard's own claims.
type Mark struct {
	Claims  MarkClaims
	Type    string
	Issuer  federation.EntityID
	Expires time.Time
	Compact string
}

// IssueMark signs a mark. Issuer, subject, type, times and jti must be set.
func IssueMark(k *Key, c MarkClaims) (string, error) {
	if c.Issuer == "" || c.Subject == "" || c.Type == "" || c.IssuedAt == 0 || c.Expires <= c.IssuedAt || c.ID == "" {
		return "", fmt.Errorf("issue mark for %s: %w: issuer, subject, type, times and jti are required", c.Subject, ErrMark)
	}
	return Sign(k, TypeMark, struct {
		MarkClaims
		FormerType string `json:"id"` // as in shownMark
	}{c, c.Type})
}

// OpenMark verifies a mark with the keys of its issuer: signature, type,
// times. Whether the issuer may issue it is judged with a chain only.
func OpenMark(compact string, keys JWKS, now time.Time) (MarkClaims, error) {
	t, err := Open(compact, TypeMark, keys)
	if err != nil {
		return MarkClaims{}, err
	}
	return readMark(t, now)
}

func readMark(t *Token, now time.Time) (MarkClaims, error) {
	var c MarkClaims
	if err := checkOptionalExpiry(t, now); err != nil {
		return c, err
	}
	if err := t.Into(&c); err != nil {
		return c, err
	}
	if c.Issuer == "" || c.Subject == "" || c.Type == "" || c.IssuedAt == 0 {
		return c, fmt.Errorf("%w: iss, sub, trust_mark_type and iat are required [OIDF §7.1]", ErrMark)
	}
	return c, nil
}

// checkOptionalExpiry is Token.Check for tokens that may live for ever: marks
// and delegations need no exp [OIDF §7.1].
func checkOptionalExpiry(t *Token, now time.Time) error {
	var c struct {
		IssuedAt *Seconds `json:"iat"`
		Expires  *Seconds `json:"exp"`
	}
	if err := t.Into(&c); err != nil {
		return err
	}
	switch {
	case c.Expires != nil:
		return t.Check(now)
	case c.IssuedAt == nil:
		return fmt.Errorf("%w: iat missing", ErrClaims)
	case c.IssuedAt.Time().After(now.Add(clockSkew)):
		return fmt.Errorf("%w: %s", ErrNotYet, c.IssuedAt.Time().UTC().Format(time.RFC3339))
	}
	return nil
}

// markJudge verifies the marks of one leaf against its chain.
type markJudge struct {
	chain    *Chain
	superior *Chain // nil for an anchor
	// issuer gives the chain of an issuer that is not above the leaf.
	issuer func(federation.EntityID) (*Chain, error)
	door   Door
	now    time.Time
	trace  *trace
}

// verifyMarks keeps the marks that hold and says why others do not. A mark
// that does not hold is no reason to refuse the chain; what needs the mark
// will refuse.
func (j markJudge) verifyMarks() {
	for _, ref := range j.chain.Statements[0].Marks {
		m, err := j.verify(ref)
		if err != nil {
			j.trace.refusal(VerdictDropped, err)
			continue
		}
		j.trace.note(VerdictOK, "trust mark [OIDF §7.3]", ref.Type, "jti "+m.Claims.ID+" of "+string(m.Issuer))
		j.chain.Marks = append(j.chain.Marks, m)
		if m.Type == MarkType(j.chain.Anchor) && m.Expires.Before(j.chain.Expires) {
			j.chain.Expires = m.Expires
		}
	}
}

// verify checks one mark [OIDF §7.3], then the rules of this network.
func (j markJudge) verify(ref MarkRef) (Mark, error) {
	label := "trust mark of " + string(j.chain.Leaf)
	t, err := j.door.Peek(ref.Mark, []string{TypeMark})
	if err != nil {
		return Mark{}, refuse(err, label, "JOSE [SSO.md §0.8]", nil)
	}
	c, err := readMark(t, j.now)
	if err != nil {
		return Mark{}, refuse(err, label, "claims [OIDF §7.1]", nil)
	}
	switch {
	case c.Type != ref.Type:
		return Mark{}, refuse(ErrMark, label, "trust_mark_type equals the one beside it [OIDF §3.1.2]", c.Type)
	case c.Subject != j.chain.Leaf:
		return Mark{}, refuse(ErrMark, label, "sub is the one who shows it [OIDF §7.3]", c.Subject)
	}
	if err := j.mayIssue(c); err != nil {
		return Mark{}, err
	}
	keys, err := j.issuerKeys(c)
	if err != nil {
		return Mark{}, err
	}
	if err := t.verify(keys); err != nil {
		return Mark{}, refuse(err, label, "signature of the issuer [OIDF §7.3]", c.Issuer)
	}
	m := Mark{Claims: c, Type: c.Type, Issuer: c.Issuer, Expires: c.Expires.Time(), Compact: ref.Mark}
	if c.Type == MarkType(j.chain.Anchor) {
		if err := j.membership(c); err != nil {
			return Mark{}, err
		}
	}
	return m, nil
}

// mayIssue checks trust_mark_issuers and trust_mark_owners of the anchor.
func (j markJudge) mayIssue(c MarkClaims) error {
	label := "trust mark of " + string(j.chain.Leaf)
	top := j.chain.Statements[len(j.chain.Statements)-1]
	issuers, listed := top.MarkIssuers[c.Type]
	if !listed {
		return refuse(ErrMark, label, "type listed in the anchor's trust_mark_issuers [OIDF §7.3]", c.Type)
	}
	allowed := len(issuers) == 0 && c.Type != MarkType(j.chain.Anchor)
	for _, i := range issuers {
		allowed = allowed || i == c.Issuer
	}
	if !allowed {
		return refuse(ErrMark, label, "issuer listed in the anchor's trust_mark_issuers [OIDF §7.3]", c.Issuer)
	}
	owner, owned := top.MarkOwners[c.Type]
	if !owned || owner.Subject == c.Issuer {
		return nil
	}
	if err := j.delegated(c, owner); err != nil {
		return refuse(err, label, "delegation by the owner [OIDF §7.2]", owner.Subject)
	}
	return nil
}

// delegated checks the delegation token of a mark whose type has an owner.
func (j markJudge) delegated(c MarkClaims, owner MarkOwner) error {
	if c.Delegation == "" {
		return fmt.Errorf("%w: delegation missing", ErrMark)
	}
	t, err := j.door.Open(c.Delegation, []string{TypeMarkDelegation}, owner.Keys)
	if err != nil {
		return err
	}
	if err := checkOptionalExpiry(t, j.now); err != nil {
		return err
	}
	var d struct {
		Issuer  federation.EntityID `json:"iss"`
		Subject federation.EntityID `json:"sub"`
		Type    string              `json:"trust_mark_type"`
	}
	if err := t.Into(&d); err != nil {
		return err
	}
	if d.Issuer != owner.Subject || d.Subject != c.Issuer || d.Type != c.Type {
		return fmt.Errorf("%w: the delegation is for %s about %s", ErrMark, clip(string(d.Subject)), clip(d.Type))
	}
	return nil
}

// issuerKeys establishes trust in the issuer: it is in the chain, or has one
// of its own to the same anchor.
func (j markJudge) issuerKeys(c MarkClaims) (JWKS, error) {
	statements := j.chain.Statements
	if top := statements[len(statements)-1]; c.Issuer == top.Subject {
		return top.Keys, nil
	}
	for _, s := range statements[1 : len(statements)-1] {
		if s.Subject == c.Issuer {
			return s.Keys, nil
		}
	}
	// Membership is granted by a hub above the member, not by any hub.
	if c.Type == MarkType(j.chain.Anchor) {
		return JWKS{}, refuse(ErrMark, "trust mark of "+string(j.chain.Leaf), "membership is granted by a superior [SSO.md §3]", c.Issuer)
	}
	other, err := j.issuer(c.Issuer)
	if err != nil {
		return JWKS{}, refuse(err, "trust mark of "+string(j.chain.Leaf), "the issuer has a chain to the same anchor [OIDF §7.3]", c.Issuer)
	}
	if other.Anchor != j.chain.Anchor {
		return JWKS{}, refuse(ErrMark, "trust mark of "+string(j.chain.Leaf), "the issuer has a chain to the same anchor [OIDF §7.3]", other.Anchor)
	}
	return other.Keys, nil
}

// membership applies the rules of the zustaendigkeit mark [SSO.md §3].
func (j markJudge) membership(c MarkClaims) error {
	label := "trust mark of " + string(j.chain.Leaf) + ", jti " + clip(c.ID)
	if c.Expires == 0 || c.ID == "" || c.LegalName == "" {
		return refuse(ErrMark, label, "exp, jti and legal_name required [SSO.md §3]", nil)
	}
	if c.Generation != j.chain.Generation {
		return refuse(ErrMark, label, "generation of the membership [SSO.md §2]", c.Generation)
	}
	if j.superior == nil {
		return nil // an anchor about itself: there is nobody above to grant less
	}
	issuer := j.superior
	if issuer.Leaf != c.Issuer {
		var err error
		if issuer, err = j.issuer(c.Issuer); err != nil {
			return refuse(err, label, "the issuer has a chain [OIDF §7.3]", c.Issuer)
		}
	}
	own, ok := issuer.Membership()
	if !ok {
		if issuer.Leaf == issuer.Anchor {
			return nil // an anchor that names no scope of its own bounds nothing
		}
		return refuse(ErrScope, label, "the issuing hub has a mark of its own [SSO.md §3]", c.Issuer)
	}
	if !c.Scope().Within(own.Claims.Scope()) {
		return refuse(ErrScope, label, "attenuation: within the scope of "+string(c.Issuer)+" [SSO.md §3]", fmt.Sprintf("%+v", c.Area))
	}
	next, err := c.Planned()
	if err != nil || next != nil && !next.Scope.Within(own.Claims.Scope()) {
		return refuse(ErrScope, label, "attenuation: what is planned lies within the scope of "+string(c.Issuer)+" [SSO.md §3]", fmt.Sprintf("%+v", c.Next))
	}
	j.trace.note(VerdictOK, "attenuation [SSO.md §3]", label, "within the scope of "+string(c.Issuer))
	return nil
}
