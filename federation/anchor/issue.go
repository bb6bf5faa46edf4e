package anchor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// DefaultPolicy is the metadata policy of the network [SSO.md §2]: pairwise
// subjects, ES256, the code flow with S256, private_key_jwt, automatic
// registration. The caller owns the result. For providers it uses value only:
// some readers apply a policy also to an entity type that a leaf does not
// have, and stumble over a subset_of of nothing.
func DefaultPolicy() json.RawMessage {
	return json.RawMessage(`{
"openid_relying_party":{
 "client_registration_types":{"subset_of":["automatic"],"essential":true},
 "subject_type":{"value":"pairwise"},
 "response_types":{"subset_of":["code"],"default":["code"]},
 "grant_types":{"subset_of":["authorization_code"],"default":["authorization_code"]},
 "token_endpoint_auth_method":{"value":"private_key_jwt"},
 "token_endpoint_auth_signing_alg":{"value":"ES256"},
 "request_object_signing_alg":{"value":"ES256"},
 "id_token_signed_response_alg":{"value":"ES256"}},
"openid_provider":{
 "client_registration_types_supported":{"value":["automatic"]},
 "subject_types_supported":{"value":["pairwise"]},
 "response_types_supported":{"value":["code"]},
 "id_token_signing_alg_values_supported":{"value":["ES256"]},
 "token_endpoint_auth_methods_supported":{"value":["private_key_jwt"]},
 "code_challenge_methods_supported":{"value":["S256"]}}}`)
}

// issued is a signed answer that may be given again.
type issued struct {
	compact string
	version string // of what it was made from
	until   time.Time
}

// reuse returns the stored answer while it is in the first half of its life
// and nothing it was made from has changed; otherwise it makes a new one.
func (a *Anchor) reuse(slot, version string, make func(*trust.Key) (string, error)) (string, error) {
	key, err := a.signer()
	if err != nil {
		return "", err
	}
	version += " " + key.ID()
	now := a.cfg.Now()
	a.mu.Lock()
	have, ok := a.issued[slot]
	a.mu.Unlock()
	if ok && have.version == version && now.Before(have.until) && now.After(have.until.Add(-a.cfg.Lifetime)) {
		return have.compact, nil
	}
	compact, err := make(key)
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.issued[slot] = issued{compact: compact, version: version, until: now.Add(a.cfg.Lifetime / 2)}
	return compact, nil
}

// version names the state of a member that statements and marks are made from.
func (m Member) version() string {
	b, err := json.Marshal(m)
	if err != nil {
		return rand.Text()
	}
	return federation.Sum(b).String()
}

// statement signs the subordinate statement about an active member.
func (a *Anchor) statement(m Member) (string, error) {
	return a.reuse("statement "+string(m.ID), m.version(), func(key *trust.Key) (string, error) {
		below := 0
		if m.Intermediate {
			below = 1
		}
		return trust.Subordinate(trust.SubordinateInput{
			Issuer: a.cfg.Self, Subject: m.ID, Key: key, Keys: m.Keys, Policy: a.cfg.Policy,
			Constraints:    &trust.Constraints{MaxPathLength: &below},
			Zustaendigkeit: m.Scope, Generation: m.Generation, Now: a.cfg.Now(), Lifetime: a.cfg.Lifetime,
		})
	})
}

// mark signs the membership mark of an active member.
func (a *Anchor) mark(m Member) (string, error) {
	return a.reuse("mark "+string(m.ID), m.version(), func(key *trust.Key) (string, error) {
		typ, err := a.markType()
		if err != nil {
			return "", err
		}
		c := a.claims(typ, m.ID, m.Invitation, m.Generation)
		if m.Next != nil {
			c.SetNext(&m.Next.Planned)
		}
		return trust.IssueMark(key, c)
	})
}

func (a *Anchor) claims(typ string, id federation.EntityID, inv Invitation, generation uint64) trust.MarkClaims {
	now := a.cfg.Now()
	c := trust.MarkClaims{
		Issuer: a.cfg.Self, Subject: id, Type: typ, IssuedAt: trust.At(now), Expires: trust.At(now.Add(a.cfg.Lifetime)),
		ID: rand.Text(), LegalName: inv.Name, ShortName: inv.ShortName, Kind: inv.Kind, AGS: inv.AGS, Seat: inv.Seat,
		Generation: generation,
	}
	c.SetScope(inv.Scope)
	return c
}

// Contribute adds to an entity configuration what the hub's side knows: the
// federation endpoints and, for a trust anchor, its own mark and the issuers
// of membership marks. An intermediate's mark comes from its superior.
func (a *Anchor) Contribute(ctx context.Context, in *trust.ConfigurationInput) error {
	if in.Metadata == nil {
		in.Metadata = trust.Metadata{}
	}
	entity := in.Metadata[trust.TypeEntity]
	if entity == nil {
		entity = map[string]any{}
	}
	for parameter, path := range endpoints {
		entity[parameter] = a.cfg.Self.URL(path)
	}
	in.Metadata[trust.TypeEntity] = entity
	if !a.IsTrustAnchor() {
		if p, err := a.place(); err == nil {
			in.AuthorityHints = []federation.EntityID{p.Superior}
		}
		return nil // before it is admitted it has no place, but an address
	}
	typ := trust.MarkType(a.cfg.Self)
	own, err := a.reuse("mark "+string(a.cfg.Self), "owner", func(key *trust.Key) (string, error) {
		return trust.IssueMark(key, a.claims(typ, a.cfg.Self, a.cfg.Owner, 0))
	})
	if err != nil {
		return fmt.Errorf("own mark: %w", err)
	}
	in.Marks = append(in.Marks, trust.MarkRef{Type: typ, Mark: own})
	issuers := []federation.EntityID{a.cfg.Self}
	members, err := a.List(ctx, Filter{State: StateActive})
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Intermediate {
			issuers = append(issuers, m.ID)
		}
	}
	in.MarkIssuers = map[string][]federation.EntityID{typ: issuers}
	return nil
}
