package federation

import (
	"time"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Planned is a grant that replaces the present one when From (midnight UTC)
// begins: a responsibility is handed over, or municipalities merge.
type Planned struct {
	From  time.Time `json:"from"`
	Scope Scope     `json:"scope"`
}

// Grant is one grant with the time it holds; a zero time is no limit.
type Grant struct {
	Scope
	From, To time.Time
}

// Grants returns what m may claim, one after the other: the present grant
// and, if one is planned, that.
func (m *Member) Grants() []Grant {
	if m.Next == nil {
		return []Grant{{Scope: m.Scope}}
	}
	return []Grant{{Scope: m.Scope, To: m.Next.From}, {Scope: m.Next.Scope, From: m.Next.From}}
}

// Granted reports from when until when m may claim key in area; a zero time is
// no limit. ok is false if it never may. It allocates nothing.
func (m *Member) Granted(key leika.ID, area region.Area) (from, to time.Time, ok bool) {
	now := m.Scope.CoversKey(key) && m.Scope.CoversArea(area)
	if m.Next == nil {
		return from, to, now
	}
	switch later := m.Next.Scope.CoversKey(key) && m.Next.Scope.CoversArea(area); {
	case now && !later:
		to = m.Next.From
	case later && !now:
		from = m.Next.From
	case !now:
		return from, to, false
	}
	return from, to, true
}
