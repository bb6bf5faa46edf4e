package trust

import (
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust/policy"
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
	Keys       JWKS                // federation keys of the leaf, as its superior states them
	Expires    time.Time           // earliest end of the statements and of the membership mark
	Generation uint64              // of the membership, see Notice
	Steps      []Step              // what was checked, in order

	member atomic.Pointer[federation.Member] // as Member has found it
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

// IsHub reports whether the leaf is a trust anchor or shows a fetch endpoint,
// which the constraints of its superiors have allowed.
func (c *Chain) IsHub() bool {
	_, fetch := c.Metadata[TypeEntity]["federation_fetch_endpoint"]
	return fetch || c.Leaf == c.Anchor
}

// Above reports whether id stands above the leaf in this chain.
func (c *Chain) Above(id federation.EntityID) bool {
	if c.Leaf == c.Anchor {
		return id == c.Leaf
	}
	for _, s := range c.Statements[1:] {
		if s.Issuer == id {
			return true
		}
	}
	return false
}

// Member returns the member as the network has verified it. Without a valid
// zustaendigkeit mark it wraps ErrMark. Its slices are shared and read-only.
func (c *Chain) Member() (federation.Member, error) {
	if m := c.member.Load(); m != nil {
		return *m, nil
	}
	m, err := c.readMember()
	if err == nil {
		c.member.Store(&m)
	}
	return m, err
}

func (c *Chain) readMember() (federation.Member, error) {
	mark, ok := c.Membership()
	if !ok {
		return federation.Member{}, refuse(ErrMark, "entity configuration of "+string(c.Leaf), "a valid mark of type "+MarkType(c.Anchor), nil)
	}
	m := federation.Member{
		ID:        c.Leaf,
		Name:      mark.Claims.LegalName,
		ShortName: mark.Claims.ShortName,
		Kind:      mark.Claims.Kind,
		Seat:      mark.Claims.Seat,
		Scope:     mark.Claims.Scope(),
		MarkID:    mark.Claims.ID,
		IsHub:     c.IsHub(),
	}
	if m.ShortName == "" {
		m.ShortName = m.Name
	}
	var nerr error
	if m.Next, nerr = mark.Claims.Planned(); nerr != nil {
		return federation.Member{}, fmt.Errorf("%s: %w", c.Leaf, nerr)
	}
	rp, _, err := c.Metadata.RP()
	if err != nil {
		return federation.Member{}, fmt.Errorf("%s: %w", c.Leaf, err)
	}
	entity, _, err := c.Metadata.Entity()
	if err != nil {
		return federation.Member{}, fmt.Errorf("%s: %w", c.Leaf, err)
	}
	_, m.IsOP = c.Metadata[TypeOP]
	m.LoginURI, m.Phone = rp.InitiateLoginURI, clip(entity.Phone)
	return m, nil
}

// assemble makes the chain of leaf from verified statements. above are the
// subordinate statements upwards and the anchor's configuration; superior is
// nil for an anchor. The signatures were checked by the caller.
func assemble(leaf *Statement, above []*Statement, t *trace) (*Chain, error) {
	statements := append([]*Statement{leaf}, above...)
	top := statements[len(statements)-1]
	c := &Chain{
		Leaf: leaf.Subject, Anchor: top.Subject, Superior: leaf.Subject,
		Statements: statements, Keys: leaf.Keys, Expires: leaf.Expires,
	}
	if len(top.AuthorityHints) > 0 {
		return nil, t.fail(refuse(ErrStatement, top.String(), "a trust anchor at the end of a chain has no authority_hints [OIDF §3.1.2]", top.AuthorityHints[0]))
	}
	for _, s := range above {
		if s.Expires.Before(c.Expires) {
			c.Expires = s.Expires
		}
	}
	metadata := leaf.Metadata.clone()
	var merged policy.Policy
	if len(statements) > 1 {
		direct := statements[1]
		c.Superior, c.Keys, c.Generation = direct.Issuer, direct.Keys, direct.Generation
		for typ, params := range direct.Metadata {
			if metadata[typ] != nil { // superior metadata replaces the leaf's own [OIDF §6.1.1]
				maps.Copy(metadata[typ], params)
				t.ok("metadata of the superior [OIDF §3.1.3]", direct.String())
			}
		}
	}
	if err := constrain(statements, metadata, t); err != nil {
		return nil, err
	}
	for _, s := range slices.Backward(statements) {
		if s.Policy == nil {
			continue
		}
		next, err := policy.Merge(merged, s.Policy)
		if err != nil {
			return nil, t.fail(refuse(err, s.String(), "metadata_policy merges with those above [OIDF §6.1.4.1]", nil))
		}
		merged = next
		t.ok("metadata_policy merged [OIDF §6.1.4.1]", s.String())
	}
	if merged != nil {
		out, err := merged.Apply(metadata)
		if err != nil {
			return nil, t.fail(refuse(err, leaf.String(), "metadata satisfies the merged policy [OIDF §6.1.4.2]", nil))
		}
		metadata = out
		t.ok("metadata satisfies the merged policy [OIDF §6.1.4.2]", leaf.String())
	}
	c.Metadata = metadata
	c.sanitize(t)
	return c, nil
}

// clone copies two levels: what assemble changes.
func (m Metadata) clone() Metadata {
	out := make(Metadata, len(m))
	for typ, params := range m {
		out[typ] = maps.Clone(params)
	}
	return out
}

// sanitize drops what would let a member send others' browsers or servers
// elsewhere: URIs that are called with our authority must be its own origin
// [SSO.md §8, §10 89], an OP's issuer must be its entity ID [OIDF §5.1.3].
func (c *Chain) sanitize(t *trace) {
	label := "entity configuration of " + string(c.Leaf)
	for _, p := range []string{"initiate_login_uri", "backchannel_logout_uri"} {
		v, there := c.Metadata[TypeRP][p]
		if !there {
			continue
		}
		if s, ok := v.(string); !ok || !sameOrigin(c.Leaf, s) {
			delete(c.Metadata[TypeRP], p)
			t.note(VerdictDropped, p+" on the entity's own origin [SSO.md §8]", label, fmt.Sprint(v))
		}
	}
	if op, there := c.Metadata[TypeOP]; there && op["issuer"] != string(c.Leaf) {
		delete(c.Metadata, TypeOP)
		t.note(VerdictDropped, "issuer equals the entity ID [OIDF §5.1.3]", label, fmt.Sprint(op["issuer"]))
	}
	for p, v := range c.Metadata[TypeEntity] {
		if s, ok := v.(string); ok && isEndpoint(p) && !sameOrigin(c.Leaf, s) {
			delete(c.Metadata[TypeEntity], p)
			t.note(VerdictDropped, p+" on the entity's own origin [DESIGN §3]", label, s)
		}
	}
}
