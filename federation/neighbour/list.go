package neighbour

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/trust"
)

// Why something of a neighbour is not believed or not known.
var (
	ErrConfig   = errors.New("neighbour: configuration not usable")
	ErrNobody   = errors.New("neighbour: the place belongs to no neighbour of this Landkreis")
	ErrSilent   = errors.New("neighbour: the neighbour does not answer and nothing is held of it")
	ErrSeal     = errors.New("neighbour: not sealed by the neighbour")
	ErrQuestion = errors.New("neighbour: answer to another question")
	ErrArea     = errors.New("neighbour: answer for an area that is not the neighbour's")
	ErrExpired  = errors.New("neighbour: too old to be shown")
	ErrLimit    = errors.New("neighbour: larger than allowed")
	ErrShape    = errors.New("neighbour: not of the expected form")
	ErrAsked    = errors.New("neighbour: not a question that can be answered")
)

// MaxNeighbours is how many hubs a list may name. Germany has 400 Kreise.
const MaxNeighbours = 512

const (
	maxAreas = 64 // of one neighbour
	listLife = 24 * time.Hour
)

// TypeList is the typ of a sealed list.
const TypeList = "neighbour-list+jwt"

// Neighbour is the hub of another Landkreis as the own hub vouches for it.
type Neighbour struct {
	ID        federation.EntityID `json:"id"`
	Name      string              `json:"name"`                 // "Landkreis Vechta"
	ShortName string              `json:"short_name,omitempty"` // "Vechta"
	Scope     federation.Scope    `json:"scope"`                // places for which its word counts
	Keys      trust.JWKS          `json:"keys"`                 // federation keys that seal its answers
	// Until is when the proof of who it is ends unless it is renewed. After
	// that its answers are shown as old only.
	Until trust.Seconds `json:"until"`
}

// List is whom a hub knows next to it. Neighbours are sorted by ID and their
// areas do not overlap. Read only.
type List struct {
	Issuer     federation.EntityID `json:"iss"`
	IssuedAt   trust.Seconds       `json:"iat"`
	Expires    trust.Seconds       `json:"exp"`
	Neighbours []Neighbour         `json:"neighbours"`
}

// SealList signs a list of issuer. The order of neighbours does not matter; an
// area that two of them claim is refused (ErrShape).
func SealList(k *trust.Key, issuer federation.EntityID, neighbours []Neighbour, now time.Time) (string, error) {
	l := List{Issuer: issuer, IssuedAt: trust.At(now), Expires: trust.At(now.Add(listLife)), Neighbours: slices.Clone(neighbours)}
	slices.SortFunc(l.Neighbours, func(a, b Neighbour) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	if l.Neighbours == nil {
		l.Neighbours = []Neighbour{}
	}
	if err := l.check(); err != nil {
		return "", err
	}
	return trust.Sign(k, TypeList, l)
}

// OpenList verifies a list that issuer has sealed. Its expiry is not judged:
// see Expired. Errors wrap ErrSeal, ErrShape or ErrLimit.
func OpenList(compact string, issuer federation.EntityID, keys trust.JWKS) (*List, error) {
	t, err := trust.Open(compact, TypeList, keys)
	if err != nil {
		return nil, fmt.Errorf("list of %s: %w: %w", issuer, ErrSeal, err)
	}
	l := &List{}
	if err := t.Into(l); err != nil {
		return nil, fmt.Errorf("list of %s: %w: %w", issuer, ErrShape, err)
	}
	if l.Issuer != issuer || l.Expires == 0 || l.IssuedAt == 0 {
		return nil, fmt.Errorf("list of %s: %w: issued by %s", issuer, ErrShape, l.Issuer)
	}
	return l, l.check()
}

func (l *List) check() error {
	if len(l.Neighbours) > MaxNeighbours {
		return fmt.Errorf("list of %s: %w: %d neighbours", l.Issuer, ErrLimit, len(l.Neighbours))
	}
	for i := range l.Neighbours {
		n := &l.Neighbours[i]
		areas := len(n.Scope.Areas) + len(n.Scope.Subtree)
		switch {
		case n.ID == "" || n.ID == l.Issuer || n.Name == "" || n.Keys.Keys() == 0:
			return fmt.Errorf("list of %s: %w: neighbour %q", l.Issuer, ErrShape, n.ID)
		case areas == 0 || areas+len(n.Scope.Except) > maxAreas:
			return fmt.Errorf("list of %s: %w: %s with %d areas", l.Issuer, ErrLimit, n.ID, areas)
		}
		for j := range i {
			if n.ID == l.Neighbours[j].ID || Overlap(n.Scope, l.Neighbours[j].Scope) {
				return fmt.Errorf("list of %s: %w: %s and %s claim the same area", l.Issuer, ErrShape, l.Neighbours[j].ID, n.ID)
			}
		}
	}
	return nil
}

// Overlap reports whether some place may be in both scopes. It is careful:
// what is inside an exception of one of them counts as outside of it.
func Overlap(a, b federation.Scope) bool {
	inside := func(x, y federation.Scope) bool {
		for _, area := range slices.Concat(x.Areas, x.Subtree) {
			if y.CoversArea(area) {
				return true
			}
		}
		return false
	}
	return inside(a, b) || inside(b, a)
}

// Of returns the neighbour that a place belongs to. It is safe on a nil list.
func (l *List) Of(place region.Area) (Neighbour, bool) {
	if l == nil || place.Len() < 5 {
		return Neighbour{}, false
	}
	for i := range l.Neighbours {
		if l.Neighbours[i].Scope.CoversArea(place) {
			return l.Neighbours[i], true
		}
	}
	return Neighbour{}, false
}

// Expired reports whether the list is past its time at now: its neighbours may
// still be named, and their answers be shown as old.
func (l *List) Expired(now time.Time) bool { return !now.Before(l.Expires.Time()) }
