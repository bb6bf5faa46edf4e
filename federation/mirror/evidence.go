package mirror

import (
	"errors"
	"fmt"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
)

// errNoNews refuses evidence that proves nothing here, so that it is not
// passed on.
var errNoNews = errors.New("mirror: no new evidence")

// misdeed returns which rule the answer of a source has broken, nil if it
// could not be had at all.
func misdeed(err error) error {
	for _, e := range []error{ErrSeal, ErrIssuer, ErrRollback, ErrExpired, ErrNotYet, ErrContent, ErrTooLarge} { // read only
		if errors.Is(err, e) {
			return e
		}
	}
	return nil
}

// blame keeps in sight what the member itself has answered, although another
// source helped out, and tells OnRefused once for each rule broken in a row.
func (m *Mirror) blame(id federation.EntityID, err error) {
	if err == nil {
		return
	}
	m.change.Lock()
	defer m.change.Unlock()
	r, rule := m.record(id), misdeed(err)
	m.put(id, r.with(func(r *record) {
		r.misdeed = rule
		r.setErr(err)
	}))
	if !errors.Is(r.misdeed, rule) && m.cfg.OnRefused != nil {
		m.cfg.OnRefused(id, err)
	}
}

// Evidence takes a sealed manifest that another node has seen. It can only
// make this node stricter: if it proves that its member has sealed two
// manifests with one serial, the copy is frozen as if this node had pulled
// both, or will be as soon as it pulls that serial. Every other outcome than a
// frozen copy is an error, so that gossip does not pass it on.
func (m *Mirror) Evidence(sealed string) error {
	if len(sealed) > catalog.MaxManifest {
		return fmt.Errorf("evidence: %w: %d bytes", ErrTooLarge, len(sealed))
	}
	token, err := trust.Peek(sealed, catalog.ManifestType)
	if err != nil {
		return fmt.Errorf("evidence: %w: %w", ErrSeal, err)
	}
	var claim struct {
		Issuer federation.EntityID `json:"iss"`
	}
	if err := token.Into(&claim); err != nil {
		return fmt.Errorf("evidence: %w: %w", ErrContent, err)
	}
	chain, _, err := m.member(claim.Issuer)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	man, err := openManifest(sealed, chain.Keys, claim.Issuer)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	p := m.record(claim.Issuer).pointer
	if man.Serial > p.Floor {
		m.early(claim.Issuer, man.Serial, sealed)
	}
	if !p.Frozen.IsZero() || man.Serial != p.Floor || federation.Sum([]byte(sealed)) == p.Manifest {
		return fmt.Errorf("evidence: %w: %s serial %d", errNoNews, claim.Issuer, man.Serial)
	}
	if err := m.freeze(claim.Issuer, man.Serial, sealed, true); err != nil && !errors.Is(err, ErrEquivocates) {
		return fmt.Errorf("evidence: %w", err)
	}
	return nil
}

// ahead is evidence about a serial that is not held yet: two pieces are enough.
type ahead struct {
	serial uint64
	sealed []string
}

// early keeps evidence until that serial is pulled.
func (m *Mirror) early(id federation.EntityID, serial uint64, sealed string) {
	m.change.Lock()
	defer m.change.Unlock()
	a := m.ahead[id]
	if a.serial < serial {
		a = ahead{serial: serial}
	}
	if a.serial == serial && len(a.sealed) < 2 && !slices.Contains(a.sealed, sealed) {
		a.sealed = append(a.sealed, sealed)
	}
	m.ahead[id] = a
}

// recall looks again at evidence that came before its serial was pulled.
func (m *Mirror) recall(id federation.EntityID) {
	m.change.Lock()
	a := m.ahead[id]
	if a.serial <= m.record(id).pointer.Floor {
		delete(m.ahead, id)
	}
	m.change.Unlock()
	for _, sealed := range a.sealed {
		if err := m.Evidence(sealed); err != nil {
			m.log.Debug("evidence proves nothing", "peer", string(id), "err", err)
		}
	}
}
