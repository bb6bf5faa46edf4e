package trust

import (
	"strings"

	"rathausnetz/federation"
)

// Constraints of a subordinate statement [OIDF §6.2]. Unknown members are
// ignored, as the standard demands.
type Constraints struct {
	// MaxPathLength is how many intermediates may stand between the entity that
	// sets it and the end of the chain; nil means any number.
	MaxPathLength      *int               `json:"max_path_length,omitempty"`
	Naming             *NamingConstraints `json:"naming_constraints,omitempty"`
	AllowedEntityTypes *[]string          `json:"allowed_entity_types,omitempty"`
}

// NamingConstraints restrict host names: ".kreis.de" is every subdomain,
// "kreis.de" exactly that host [OIDF §6.2.2], [RFC 5280 §4.2.1.10].
type NamingConstraints struct {
	Permitted []string `json:"permitted,omitempty"`
	Excluded  []string `json:"excluded,omitempty"`
}

// Allows reports whether the host of id is permitted. Excluded beats permitted;
// without permitted names every other host is allowed. Port and path are not
// compared.
func (n NamingConstraints) Allows(id federation.EntityID) bool {
	host := strings.TrimSuffix(id.Host(), ".")
	if host == "" {
		return false
	}
	for _, p := range n.Excluded {
		if hostMatches(p, host) {
			return false
		}
	}
	if n.Permitted == nil {
		return true
	}
	for _, p := range n.Permitted {
		if hostMatches(p, host) {
			return true
		}
	}
	return false
}

func hostMatches(pattern, host string) bool {
	pattern = strings.ToLower(strings.TrimSuffix(pattern, "."))
	if strings.HasPrefix(pattern, ".") {
		return len(host) > len(pattern) && strings.HasSuffix(host, pattern)
	}
	return pattern != "" && host == pattern
}

// constrain checks the statements of a chain (leaf configuration, subordinate
// statements upwards, anchor configuration) against each other's constraints
// and removes entity types that are not allowed from metadata.
func constrain(statements []*Statement, metadata Metadata, t *trace) error {
	leaf := statements[0]
	_, hub := metadata[TypeEntity]["federation_fetch_endpoint"]
	for i := 1; i < len(statements)-1; i++ {
		s := statements[i]
		c := s.Constraints
		if c == nil {
			continue
		}
		// Intermediates between the issuer of statement i and the leaf. A leaf
		// that shows a fetch endpoint is on the way to be one itself: it is
		// counted, so that a Gemeinde cannot become a hub [SSO.md §10 122].
		between := i - 1
		if hub {
			between++
		}
		if c.MaxPathLength != nil {
			if between > *c.MaxPathLength {
				return t.fail(refuse(ErrConstraint, s.String(), "max_path_length [OIDF §6.2.1]", *c.MaxPathLength))
			}
			t.ok("max_path_length [OIDF §6.2.1]", s.String())
		}
		if c.Naming != nil {
			for _, below := range append([]*Statement{leaf}, statements[1:i+1]...) {
				if !c.Naming.Allows(below.Subject) {
					return t.fail(refuse(ErrConstraint, s.String(), "naming_constraints [OIDF §6.2.2]", below.Subject))
				}
			}
			t.ok("naming_constraints [OIDF §6.2.2]", s.String())
		}
		if c.AllowedEntityTypes != nil {
			for typ := range metadata {
				if typ != TypeEntity && !contains(*c.AllowedEntityTypes, typ) {
					delete(metadata, typ)
					t.note(VerdictDropped, "allowed_entity_types [OIDF §6.2.3]", s.String(), typ)
				}
			}
		}
	}
	return nil
}
