package trust

import (
	"encoding/json"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust/policy"
)

// typ values of what this package signs and reads.
const (
	TypeStatement      = "entity-statement+jwt"           // [OIDF §3]
	TypeMark           = "trust-mark+jwt"                 // [OIDF §7.1]
	TypeMarkDelegation = "trust-mark-delegation+jwt"      // [OIDF §7.2.1]
	TypeMarkStatus     = "trust-mark-status-response+jwt" // [OIDF §8.4.2]
	TypeResolve        = "resolve-response+jwt"           // [OIDF §8.3.2]
	TypeJWKSet         = "jwk-set+jwt"                    // [OIDF §8.7.2]
	TypeNotice         = "revocation-notice+jwt"          // of this network
	TypeBlock          = "host-block+jwt"                 // of this network
)

const (
	maxHints = 10
	maxMarks = 32
	// absurdLife is refused outright; anything between Limits.Lifetime and
	// this is cut.
	absurdLife = 366 * 24 * time.Hour
)

// Statement is a parsed entity statement: an entity configuration (Issuer ==
// Subject) or a subordinate statement [OIDF §3]. Those in a Chain are verified.
type Statement struct {
	Issuer, Subject federation.EntityID
	IssuedAt        time.Time
	Expires         time.Time // cut to the limits of the reader
	Keys            JWKS      // the subject's federation keys
	AuthorityHints  []federation.EntityID
	Metadata        Metadata
	Policy          policy.Policy // metadata_policy, nil if none
	Constraints     *Constraints
	Marks           []MarkRef
	MarkIssuers     map[string][]federation.EntityID // trust_mark_issuers, anchors only
	MarkOwners      map[string]MarkOwner             // trust_mark_owners, anchors only
	Generation      uint64                           // of the membership, see Notice
	Compact         string                           // the bytes that were signed

	token *Token
}

// String names the statement for messages.
func (s *Statement) String() string {
	if s.Issuer == s.Subject {
		return "entity configuration of " + string(s.Subject)
	}
	return "subordinate statement of " + string(s.Issuer) + " about " + string(s.Subject)
}

// MarkRef is one element of trust_marks.
type MarkRef struct {
	Type string `json:"trust_mark_type"`
	Mark string `json:"trust_mark"`
}

// MarkOwner is one value of trust_mark_owners.
type MarkOwner struct {
	Subject federation.EntityID `json:"sub"`
	Keys    JWKS                `json:"jwks"`
}

// reader is how statements are read at one moment.
type reader struct {
	door     Door
	now      time.Time
	lifetime time.Duration
	hints    int
	loopback bool
}

// statementClaims is the JSON of a statement [OIDF §3].
type statementClaims struct {
	Issuer         string                     `json:"iss"`
	Subject        string                     `json:"sub"`
	IssuedAt       *Seconds                   `json:"iat"`
	Expires        *Seconds                   `json:"exp"`
	JWKS           json.RawMessage            `json:"jwks"`
	Hints          *[]string                  `json:"authority_hints"`
	Metadata       map[string]map[string]any  `json:"metadata"`
	Policy         map[string]any             `json:"metadata_policy"`
	PolicyCritical []string                   `json:"metadata_policy_crit"`
	Constraints    *Constraints               `json:"constraints"`
	Critical       []string                   `json:"crit"`
	Marks          []MarkRef                  `json:"trust_marks"`
	MarkIssuers    map[string][]string        `json:"trust_mark_issuers"`
	MarkOwners     map[string]json.RawMessage `json:"trust_mark_owners"`
	Generation     uint64                     `json:"generation"`
}

// peek parses a statement whose signature is checked later, by verify.
func (r reader) peek(compact string) (*Statement, error) {
	t, err := r.door.Peek(compact, []string{TypeStatement})
	if err != nil {
		return nil, refuse(err, "statement", "JOSE [SSO.md §0.8]", nil)
	}
	if err := noNulls(t.Claims); err != nil {
		return nil, refuse(ErrStatement, "statement", "no null values [OIDF §3]", err)
	}
	var c statementClaims
	if err := t.Into(&c); err != nil {
		return nil, refuse(err, "statement", "claims [OIDF §3.1]", nil)
	}
	s := &Statement{Compact: compact, Metadata: c.Metadata, Marks: c.Marks, Constraints: c.Constraints, Generation: c.Generation, token: t}
	if s.Issuer, err = federation.ParseEntityID(c.Issuer, r.loopback); err != nil {
		return nil, refuse(ErrStatement, "statement", "iss [OIDF §3.1.1]", c.Issuer)
	}
	if s.Subject, err = federation.ParseEntityID(c.Subject, r.loopback); err != nil {
		return nil, refuse(ErrStatement, "statement", "sub [OIDF §3.1.1]", c.Subject)
	}
	if err := r.times(s, c); err != nil {
		return nil, err
	}
	if s.Keys, err = parseJWKS(c.JWKS); err == nil && s.Keys.Keys() == 0 {
		err = ErrKey
	}
	if err != nil {
		return nil, refuse(err, s.String(), "jwks [OIDF §3.1.1]", nil)
	}
	return s, r.rest(s, c)
}

func (r reader) times(s *Statement, c statementClaims) error {
	if c.IssuedAt == nil || c.Expires == nil {
		return refuse(ErrStatement, s.String(), "iat and exp required [OIDF §3.1.1]", nil)
	}
	s.IssuedAt, s.Expires = c.IssuedAt.Time(), c.Expires.Time()
	if !r.now.Before(s.Expires) {
		return refuse(ErrExpired, s.String(), "exp [OIDF §3.1.1]", s.Expires.UTC().Format(time.RFC3339))
	}
	if s.IssuedAt.After(r.now.Add(clockSkew)) {
		return refuse(ErrNotYet, s.String(), "iat [OIDF §3.1.1]", s.IssuedAt.UTC().Format(time.RFC3339))
	}
	life := s.Expires.Sub(s.IssuedAt)
	if life > absurdLife {
		return refuse(ErrStatement, s.String(), "exp at most a year after iat [SSO.md §10 109]", life)
	}
	if cut := s.IssuedAt.Add(r.lifetime); life > r.lifetime {
		s.Expires = cut
		if !r.now.Before(cut) {
			return refuse(ErrExpired, s.String(), "longest life accepted here", r.lifetime)
		}
	}
	return nil
}

// rest checks the optional claims [OIDF §3.1].
func (r reader) rest(s *Statement, c statementClaims) error {
	own := s.Issuer == s.Subject
	if len(c.Critical) > 0 {
		return refuse(ErrStatement, s.String(), "crit names claims not understood here [OIDF §3.1.1]", c.Critical)
	}
	if own && (c.Policy != nil || c.PolicyCritical != nil || c.Constraints != nil) {
		return refuse(ErrStatement, s.String(), "policy and constraints only in subordinate statements [OIDF §3.1.3]", nil)
	}
	if !own && (c.Hints != nil || c.MarkIssuers != nil || c.MarkOwners != nil || c.Marks != nil) {
		return refuse(ErrStatement, s.String(), "hints and trust marks only in entity configurations [OIDF §3.1.2]", nil)
	}
	if c.Hints != nil {
		if err := r.readHints(s, *c.Hints); err != nil {
			return err
		}
	}
	if c.Policy != nil {
		p, err := policy.Parse(c.Policy, c.PolicyCritical)
		if err != nil {
			return refuse(err, s.String(), "metadata_policy [OIDF §6.1]", nil)
		}
		s.Policy = p
	}
	if c.Constraints != nil && c.Constraints.MaxPathLength != nil && *c.Constraints.MaxPathLength < 0 {
		return refuse(ErrStatement, s.String(), "max_path_length [OIDF §6.2.1]", *c.Constraints.MaxPathLength)
	}
	if len(s.Marks) > maxMarks {
		return refuse(ErrLimit, s.String(), "trust_marks", len(s.Marks))
	}
	return r.readMarkRights(s, c)
}

func (r reader) readHints(s *Statement, hints []string) error {
	if len(hints) == 0 {
		return refuse(ErrStatement, s.String(), "authority_hints must not be empty [OIDF §3.1.2]", nil)
	}
	if len(hints) > r.hints {
		return refuse(ErrLimit, s.String(), fmt.Sprintf("at most %d authority_hints", r.hints), len(hints))
	}
	for _, h := range hints {
		id, err := federation.ParseEntityID(h, r.loopback)
		if err != nil || id == s.Subject {
			return refuse(ErrStatement, s.String(), "authority_hints [OIDF §3.1.2]", h)
		}
		twice := false
		for _, have := range s.AuthorityHints {
			twice = twice || have == id
		}
		if !twice {
			s.AuthorityHints = append(s.AuthorityHints, id)
		}
	}
	return nil
}

// maxIssuers is how many issuers one mark type may have: every Kreis and then
// some.
const maxIssuers = 2000

func (r reader) readMarkRights(s *Statement, c statementClaims) error {
	for typ, issuers := range c.MarkIssuers {
		if len(issuers) > maxIssuers {
			return refuse(ErrLimit, s.String(), "trust_mark_issuers", len(issuers))
		}
		if s.MarkIssuers == nil {
			s.MarkIssuers = make(map[string][]federation.EntityID, len(c.MarkIssuers))
		}
		list := make([]federation.EntityID, 0, len(issuers))
		for _, i := range issuers {
			id, err := federation.ParseEntityID(i, r.loopback)
			if err != nil {
				return refuse(ErrStatement, s.String(), "trust_mark_issuers [OIDF §3.1.2]", i)
			}
			list = append(list, id)
		}
		s.MarkIssuers[typ] = list
	}
	for typ, raw := range c.MarkOwners {
		var o struct {
			Subject string          `json:"sub"`
			JWKS    json.RawMessage `json:"jwks"`
		}
		if err := decode(raw, &o); err != nil {
			return refuse(err, s.String(), "trust_mark_owners [OIDF §3.1.2]", typ)
		}
		id, err := federation.ParseEntityID(o.Subject, r.loopback)
		if err != nil {
			return refuse(ErrStatement, s.String(), "trust_mark_owners [OIDF §3.1.2]", o.Subject)
		}
		keys, err := parseJWKS(o.JWKS)
		if err != nil {
			return refuse(err, s.String(), "trust_mark_owners [OIDF §3.1.2]", typ)
		}
		if s.MarkOwners == nil {
			s.MarkOwners = make(map[string]MarkOwner, len(c.MarkOwners))
		}
		s.MarkOwners[typ] = MarkOwner{Subject: id, Keys: keys}
	}
	return nil
}

// noNulls refuses null for a claim, for the metadata of an entity type and for
// a metadata parameter.
func noNulls(claims []byte) error {
	var top map[string]json.RawMessage
	if err := decode(claims, &top); err != nil {
		return err
	}
	for name, v := range top {
		if string(v) == "null" {
			return fmt.Errorf("%s is null", clip(name))
		}
	}
	for _, name := range []string{"metadata", "metadata_policy"} {
		if top[name] == nil {
			continue
		}
		var types map[string]map[string]json.RawMessage
		if err := decode(top[name], &types); err != nil {
			return fmt.Errorf("%s must be objects in an object", name)
		}
		for typ, params := range types {
			if params == nil {
				return fmt.Errorf("%s.%s is null", name, clip(typ))
			}
			for p, v := range params {
				if string(v) == "null" {
					return fmt.Errorf("%s.%s.%s is null", name, clip(typ), clip(p))
				}
			}
		}
	}
	return nil
}

// verify checks the signature of a peeked statement with the keys that its
// issuer is known to have.
func (r reader) verify(s *Statement, keys JWKS) error {
	if err := s.token.verify(keys); err != nil {
		return refuse(err, s.String(), "signature [OIDF §10.2]", s.token.Header.KeyID)
	}
	return nil
}

// configuration reads and verifies an entity configuration with its own keys:
// it proves possession of the key, nothing more. want is the entity it was
// fetched from, "" for any.
func (r reader) configuration(compact string, want federation.EntityID) (*Statement, error) {
	s, err := r.peek(compact)
	if err != nil {
		return nil, err
	}
	if s.Issuer != s.Subject {
		return nil, refuse(ErrStatement, s.String(), "iss equals sub [OIDF §3]", s.Issuer)
	}
	if want != "" && s.Subject != want {
		return nil, refuse(ErrStatement, s.String(), "sub equals the address it came from [OIDF §9]", want)
	}
	if err := r.verify(s, s.Keys); err != nil {
		return nil, err
	}
	return s, nil
}
