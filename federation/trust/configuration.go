package trust

import (
	"encoding/json"
	"fmt"
	"time"

	"rathausnetz/federation"
)

const defaultLifetime = 24 * time.Hour

// ConfigurationInput is what an entity says about itself [OIDF §3].
type ConfigurationInput struct {
	Self           federation.EntityID
	Key            *Key // signs
	Keys           JWKS // shown; the key of Key is added if it is missing
	AuthorityHints []federation.EntityID
	Metadata       Metadata
	Marks          []MarkRef
	MarkIssuers    map[string][]federation.EntityID // anchors only
	MarkOwners     map[string]MarkOwner             // anchors only
	Now            time.Time
	Lifetime       time.Duration // 0 means 24 h
}

// Configuration builds and signs an entity configuration. Without an entity
// type in Metadata it is refused, as every receiver would.
func Configuration(in ConfigurationInput) (string, error) {
	if in.Self == "" || in.Key == nil || len(in.Metadata) == 0 || in.Now.IsZero() {
		return "", fmt.Errorf("entity configuration of %s: %w: entity ID, key, metadata and time are required", in.Self, ErrStatement)
	}
	for typ, params := range in.Metadata {
		if params == nil {
			return "", fmt.Errorf("entity configuration of %s: %w: metadata.%s is null", in.Self, ErrStatement, typ)
		}
	}
	if len(in.Marks) > maxMarks || len(in.AuthorityHints) > maxHints {
		return "", fmt.Errorf("entity configuration of %s: %w: at most %d marks and %d hints", in.Self, ErrLimit, maxMarks, maxHints)
	}
	c := map[string]any{
		"iss": in.Self, "sub": in.Self, "jwks": in.Key.public.Union(in.Keys), "metadata": in.Metadata,
		"iat": At(in.Now), "exp": At(in.Now.Add(life(in.Lifetime))),
	}
	optional(c, "authority_hints", in.AuthorityHints)
	optional(c, "trust_marks", shownMarks(in.Marks))
	if len(in.MarkIssuers) > 0 {
		c["trust_mark_issuers"] = in.MarkIssuers
	}
	if len(in.MarkOwners) > 0 {
		c["trust_mark_owners"] = in.MarkOwners
	}
	return Sign(in.Key, TypeStatement, c)
}

// shownMark is a MarkRef as it is published. Before draft 41 the type was
// called id, and software of that time still refuses a configuration without
// it; readers of the final text ignore the member.
type shownMark struct {
	MarkRef
	ID string `json:"id"`
}

func shownMarks(marks []MarkRef) []shownMark {
	out := make([]shownMark, len(marks))
	for i, m := range marks {
		out[i] = shownMark{m, m.Type}
	}
	return out
}

// SubordinateInput is what a superior says about a subordinate [OIDF §3].
type SubordinateInput struct {
	Issuer, Subject federation.EntityID
	Key             *Key            // of the issuer
	Keys            JWKS            // the subject's federation keys
	Metadata        Metadata        // overrides the subject's own; usually nil
	Policy          json.RawMessage // metadata_policy; nil for none
	Constraints     *Constraints
	// Zustaendigkeit mirrors the granted scope for audit; verification uses
	// the mark [SSO.md §3].
	Zustaendigkeit federation.Scope
	Generation     uint64 // of the membership, see Notice
	Now            time.Time
	Lifetime       time.Duration // 0 means 24 h
}

// Subordinate builds and signs a subordinate statement.
func Subordinate(in SubordinateInput) (string, error) {
	if in.Issuer == "" || in.Subject == "" || in.Issuer == in.Subject || in.Key == nil || in.Keys.Keys() == 0 || in.Now.IsZero() {
		return "", fmt.Errorf("subordinate statement about %s: %w: issuer, subject, keys and time are required", in.Subject, ErrStatement)
	}
	c := map[string]any{
		"iss": in.Issuer, "sub": in.Subject, "jwks": in.Keys,
		"iat": At(in.Now), "exp": At(in.Now.Add(life(in.Lifetime))),
		"zustaendigkeit":  in.Zustaendigkeit,
		"source_endpoint": in.Issuer.URL("/federation/fetch"),
	}
	if len(in.Metadata) > 0 {
		c["metadata"] = in.Metadata
	}
	if len(in.Policy) > 0 {
		c["metadata_policy"] = in.Policy
	}
	if in.Constraints != nil {
		c["constraints"] = in.Constraints
	}
	if in.Generation > 0 {
		c["generation"] = in.Generation
	}
	return Sign(in.Key, TypeStatement, c)
}

func optional[T any](c map[string]any, name string, list []T) {
	if len(list) > 0 {
		c[name] = list
	}
}

func life(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultLifetime
	}
	return d
}

// OpenConfiguration reads an entity configuration that verifies with its own
// keys and was fetched from id: proof of control over the address, and of
// possession of the key; no trust follows from it.
func OpenConfiguration(compact string, id federation.EntityID, allowLoopback bool, now time.Time) (*Statement, error) {
	r := reader{now: now, lifetime: absurdLife, hints: maxHints, loopback: allowLoopback}
	return r.configuration(compact, id)
}
