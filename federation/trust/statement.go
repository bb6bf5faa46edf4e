package trust

import (
	"encoding/json"
	"time"

	"rathausnetz/federation"
)

// typ values of what this package signs and reads [OIDF §15.?].
const (
	TypeStatement      = "entity-statement+jwt"
	TypeMark           = "trust-mark+jwt"
	TypeMarkStatus     = "trust-mark-status-response+jwt"
	TypeMarkDelegation = "trust-mark-delegation+jwt"
	TypeResolve        = "resolve-response+jwt"
	TypeJWKSet         = "jwk-set+jwt"
	TypeNotice         = "revocation-notice+jwt" // of this network
)

// Statement is a verified or parsed entity statement: an entity configuration
// (Issuer == Subject) or a subordinate statement [OIDF §3].
type Statement struct {
	Issuer, Subject federation.EntityID
	IssuedAt        time.Time
	Expires         time.Time // cut to the limits of the reader
	Keys            JWKS      // the subject's federation keys
	AuthorityHints  []federation.EntityID
	Metadata        Metadata
	Policy          json.RawMessage // metadata_policy, nil if none
	PolicyCritical  []string        // metadata_policy_crit
	Constraints     *Constraints
	Marks           []MarkRef
	MarkIssuers     map[string][]federation.EntityID // trust_mark_issuers, anchors only
	MarkOwners      map[string]MarkOwner             // trust_mark_owners, anchors only
	Generation      uint64                           // of the membership, see Notice
	Compact         string                           // the bytes that were signed
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

// Constraints of a subordinate statement [OIDF §6.2].
type Constraints struct {
	MaxPathLength      *int               `json:"max_path_length,omitempty"`
	Naming             *NamingConstraints `json:"naming_constraints,omitempty"`
	AllowedEntityTypes []string           `json:"allowed_entity_types,omitempty"`
}

// NamingConstraints restrict host names: ".kreis.de" is every subdomain,
// "kreis.de" exactly that host [OIDF §6.2.2].
type NamingConstraints struct {
	Permitted []string `json:"permitted,omitempty"`
	Excluded  []string `json:"excluded,omitempty"`
}
