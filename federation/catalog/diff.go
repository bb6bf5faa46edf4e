package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Diff is what changed from one catalogue to the next, each list in the order
// of IDs.
type Diff struct {
	Offers      Changes `json:"offers"`
	Units       Changes `json:"units"`
	Delegations Changes `json:"delegations"`
}

// Changes is what happened to one sort of record.
type Changes struct {
	Added   []ID     `json:"added,omitempty"`
	Removed []ID     `json:"removed,omitempty"`
	Changed []Change `json:"changed,omitempty"`
}

// Change names the fields of a record that differ, sorted.
type Change struct {
	ID     ID       `json:"id"`
	Fields []string `json:"fields"`
}

// IsZero reports whether nothing changed.
func (d Diff) IsZero() bool { return d.Offers.n()+d.Units.n()+d.Delegations.n() == 0 }

func (c Changes) n() int { return len(c.Added) + len(c.Removed) + len(c.Changed) }

// Compare says what changed from old to new; both must be normalised, nil
// stands for an empty catalogue.
func Compare(old, new *Catalogue) Diff {
	if old == nil {
		old = &Catalogue{}
	}
	if new == nil {
		new = &Catalogue{}
	}
	return Diff{
		Offers:      changes(old.Offers, new.Offers, func(o *Offer) ID { return o.ID }),
		Units:       changes(old.Units, new.Units, func(u *Unit) ID { return u.ID }),
		Delegations: changes(old.Delegations, new.Delegations, func(d *Delegation) ID { return d.ID }),
	}
}

// changes merges two lists that are sorted by ID.
func changes[T any](old, new []T, id func(*T) ID) Changes {
	var c Changes
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(old) == 0 || (len(new) > 0 && id(&new[0]) < id(&old[0])):
			c.Added = append(c.Added, id(&new[0]))
			new = new[1:]
		case len(new) == 0 || id(&old[0]) < id(&new[0]):
			c.Removed = append(c.Removed, id(&old[0]))
			old = old[1:]
		default:
			if fields := differing(&old[0], &new[0]); len(fields) > 0 {
				c.Changed = append(c.Changed, Change{ID: id(&new[0]), Fields: fields})
			}
			old, new = old[1:], new[1:]
		}
	}
	return c
}

func differing(a, b any) []string {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	if errX == nil && errY == nil && bytes.Equal(x, y) {
		return nil
	}
	var fx, fy map[string]json.RawMessage
	if json.Unmarshal(x, &fx) != nil || json.Unmarshal(y, &fy) != nil {
		return []string{"?"}
	}
	var fields []string
	for name, v := range fx {
		if !bytes.Equal(v, fy[name]) {
			fields = append(fields, name)
		}
	}
	for name := range fy {
		if _, ok := fx[name]; !ok {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}

// massDeletePercent is the share of the stock an import may remove without
// being asked [DESIGN §8].
const massDeletePercent = 20

// MassDelete counts the offers and units of old that are missing in new and
// reports whether they are more than a fifth of either stock. Whoever
// replaces a catalogue asks before it goes on then.
func MassDelete(old, new *Catalogue) (removed, stock int, exceeded bool) {
	if old == nil {
		return 0, 0, false
	}
	if new == nil {
		new = &Catalogue{}
	}
	offers := missing(old.Offers, new.Offers, func(o *Offer) ID { return o.ID })
	units := missing(old.Units, new.Units, func(u *Unit) ID { return u.ID })
	exceeded = offers*100 > len(old.Offers)*massDeletePercent || units*100 > len(old.Units)*massDeletePercent
	return offers + units, len(old.Offers) + len(old.Units), exceeded
}

func missing[T any](old, new []T, id func(*T) ID) int {
	there := make(map[ID]bool, len(new))
	for i := range new {
		there[id(&new[i])] = true
	}
	n := 0
	for i := range old {
		if !there[id(&old[i])] {
			n++
		}
	}
	return n
}
