package region

import (
	"slices"
	"strings"
	"time"
)

// Understood says how Lookup read its input.
type Understood string

// The readings. NotUnderstood means that the input is no key of any kind and
// no name in the register.
const (
	NotUnderstood Understood = ""
	AsAGS         Understood = "ags"
	AsARS         Understood = "ars" // also 2, 3 and 5 digits, where AGS and ARS are the same
	AsPLZ         Understood = "plz"
	AsName        Understood = "name"
)

// Lookup is the answer to Register.Lookup. Nothing in it is shared with the
// register.
type Lookup struct {
	Understood Understood `json:"understood"`
	// Candidates are the places the input may mean, Gemeinden before
	// Gemeindeverbände before Kreise, then by area. More than one is a
	// question to ask, never a choice to make.
	Candidates []Place `json:"candidates"`
	// Succession explains outdated places: the candidates then include their
	// successors. It is also set, without candidates, where none is known.
	Succession []Succession `json:"succession,omitempty"`
	// Approximate: no place is called exactly so; the candidates sound alike.
	Approximate bool `json:"approximate,omitempty"`
	// Ortsteil: the name is that of a part of each candidate.
	Ortsteil bool `json:"ortsteil,omitempty"`
	// Incomplete: a PLZ is known only from the seats of administrations, so
	// further Gemeinden may share it.
	Incomplete bool `json:"incomplete,omitempty"`
	// Repaired: digits were added or taken to read the key (zeros filled up
	// after a Kreis key, a leading zero that a spreadsheet dropped, the first
	// digit of a Gemeindeverband).
	Repaired bool `json:"repaired,omitempty"`
}

// Known reports whether the register has something for the input: candidates
// or a place that no longer exists. Otherwise the place is unknown, which is
// not the same as a place without offers.
func (l Lookup) Known() bool { return len(l.Candidates) > 0 || len(l.Succession) > 0 }

// One returns the only candidate.
func (l Lookup) One() (Place, bool) {
	if len(l.Candidates) != 1 {
		return Place{}, false
	}
	return l.Candidates[0], true
}

// maxQuery is the longest input Lookup reads, in bytes.
const maxQuery = 120

// Lookup finds what s means: an ARS (2, 3, 5, 9 or 12 digits), an AGS (2, 3,
// 5 or 8), a PLZ (5), a PLZ followed by a name, or a name with or without its
// kind ("Stadt Melle", "Melle, Stadt", "Samtgemeinde Bersenbrück"). Five
// digits may be a Kreis and a PLZ; both are candidates then.
//
// at is the day the answer is for; the zero time means the latest edition.
// An area that the register only had earlier is a candidate itself if at is
// not after the last edition that has it, otherwise its successors are.
func (r *Register) Lookup(s string, at time.Time) Lookup {
	if len(s) > maxQuery {
		return Lookup{}
	}
	s = strings.TrimSpace(s)
	var digits [16]byte
	n, rest := leadingDigits(s, digits[:])
	switch {
	case n < 2:
		return r.lookupName(s, at)
	case rest == "":
		return r.lookupDigits(digits[:n], at)
	case n == 5:
		return r.lookupPLZName(digits[:n], rest, at)
	}
	return r.lookupName(s, at)
}

// leadingDigits copies the ASCII digits s begins with, skipping blanks
// between them, and returns what follows. Too many digits count as none.
func leadingDigits(s string, into []byte) (n int, rest string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if n == len(into) {
				return 0, s
			}
			into[n] = c
			n++
		case c != ' ' || n == 0:
			return n, s[i:]
		}
	}
	return n, ""
}

func number(digits []byte) (v uint64) {
	for _, c := range digits {
		v = v*10 + uint64(c-'0')
	}
	return v
}

func (r *Register) lookupDigits(d []byte, at time.Time) Lookup {
	v := number(d)
	var l Lookup
	switch len(d) {
	case 2, 3, 9, 12:
		l.Understood = AsARS
		r.hitArea(&l, makeArea(v, len(d)), at)
		if len(d) == 12 && !l.Known() {
			r.unpad(&l, makeArea(v, 12), at)
		}
	case 5:
		l.Understood = AsPLZ
		r.hitPLZ(&l, uint32(v), at)
		plz := l.Known()
		r.hitArea(&l, makeArea(v, 5), at)
		if !plz && l.Known() {
			l.Understood = AsARS
		}
	case 8:
		l.Understood = AsAGS
		if ref, ok := r.ags[makeAGS(v, 8)]; ok {
			r.hit(&l, ref, at)
		} else {
			// Some sources write a Gemeindeverband without the 5 that all of
			// them begin with: 03353406 for 033535406.
			r.hitArea(&l, makeArea(v/1000*10000+5000+v%1000, 9), at)
			l.Repaired = l.Known()
		}
	case 7, 11:
		// A spreadsheet has taken the leading zero away.
		l = r.lookupDigits(append([]byte{'0'}, d...), at)
		l.Repaired = l.Known()
	}
	return l
}

// unpad reads 12 digits that other portals send for a wider area: the key of
// a Gemeindeverband, Kreis, Regierungsbezirk or Land filled up with zeros.
func (r *Register) unpad(l *Lookup, a Area, at time.Time) {
	for p, ok := a.Parent(); ok && !p.IsBund(); p, ok = p.Parent() {
		if a.code>>4 != p.code>>4 {
			return
		}
		if r.hitArea(l, p, at); l.Known() {
			l.Repaired = true
			return
		}
	}
}

func (r *Register) hitArea(l *Lookup, a Area, at time.Time) {
	if ref, ok := r.areas[a]; ok {
		r.hit(l, ref, at)
	}
}

func (r *Register) hitPLZ(l *Lookup, plz uint32, at time.Time) {
	refs := r.plz[plz]
	l.Candidates = slices.Grow(l.Candidates, len(refs))
	for _, ref := range refs {
		r.hit(l, ref, at)
	}
	l.Incomplete = len(refs) > 0 && !r.plzComplete
}

// hit adds the place, or what has become of it at the given day.
func (r *Register) hit(l *Lookup, ref int32, at time.Time) {
	p := r.at(ref)
	if ref >= 0 || (!at.IsZero() && !at.After(p.LastSeen)) {
		l.add(p)
		return
	}
	s, ok := r.changes[p.Area]
	if !ok {
		return
	}
	for i := range l.Succession {
		if l.Succession[i].Old.Area == s.Old.Area {
			return
		}
	}
	c := *s
	c.New = slices.Clone(s.New)
	l.Succession = append(l.Succession, c)
	for i := range c.New {
		l.add(&c.New[i])
	}
}

func (l *Lookup) add(p *Place) {
	for i := range l.Candidates {
		if l.Candidates[i].Area == p.Area {
			return
		}
	}
	l.Candidates = append(l.Candidates, *p)
}

func (r *Register) lookupPLZName(plz []byte, name string, at time.Time) Lookup {
	var byPLZ Lookup
	r.hitPLZ(&byPLZ, uint32(number(plz)), at)
	byName := r.lookupName(name, at)
	byPLZ.Understood = AsPLZ
	switch {
	case !byPLZ.Known():
		return byName
	case !byName.Known() || byName.Approximate && !sharePlace(byPLZ, byName):
		return byPLZ
	}
	if sharePlace(byPLZ, byName) {
		byName.Candidates = slices.DeleteFunc(byName.Candidates, func(p Place) bool { return !byPLZ.has(p.Area) })
		return byName
	}
	for i := range byName.Candidates {
		byPLZ.add(&byName.Candidates[i])
	}
	byPLZ.Succession = append(byPLZ.Succession, byName.Succession...)
	return byPLZ
}

func (l *Lookup) has(a Area) bool {
	return slices.ContainsFunc(l.Candidates, func(p Place) bool { return p.Area == a })
}

func sharePlace(x, y Lookup) bool {
	return slices.ContainsFunc(y.Candidates, func(p Place) bool { return x.has(p.Area) })
}

// lookupName tries the name as it is, then without its kind, then as that of
// an Ortsteil, then what sounds alike. A place that exists hides those of the same name that do not.
func (r *Register) lookupName(s string, at time.Time) Lookup {
	var f folder
	if !f.fold(s) || f.n == 0 {
		return Lookup{}
	}
	l := Lookup{Understood: AsName}
	r.hitName(&l, &f, at)
	if !l.Known() {
		for i := range kindSides {
			word, name := f.split(i)
			kind, ok := kindOf(word)
			if ok && len(name) > 0 && r.hitKey(&l, name, kind, at) {
				break
			}
		}
	}
	if !l.Known() {
		r.hitRefs(&l, r.names.parts[string(f.all())], anyKind, at)
		l.Ortsteil = l.Known()
	}
	if !l.Known() {
		r.hitAlike(&l, &f, at)
	}
	if !l.Known() {
		return Lookup{}
	}
	slices.SortStableFunc(l.Candidates, func(p, q Place) int { return q.Area.Len() - p.Area.Len() })
	return l
}

// hitName looks up the whole name, in full and as the first part of longer
// ones.
func (r *Register) hitName(l *Lookup, f *folder, at time.Time) {
	r.hitRefs(l, r.names.exact[string(f.all())], anyKind, at)
	r.hitRefs(l, r.names.short[string(f.all())], anyKind, at)
}

// hitKey looks up a name that was given with a kind. If the kind does not fit
// ("Stadt Bissendorf" is a Gemeinde), the name alone decides.
func (r *Register) hitKey(l *Lookup, name []byte, kind kindFilter, at time.Time) bool {
	for _, filter := range [...]kindFilter{kind, anyKind} {
		r.hitRefs(l, r.names.exact[string(name)], filter, at)
		r.hitRefs(l, r.names.short[string(name)], filter, at)
		if l.Known() {
			return true
		}
	}
	return false
}

// hitAlike looks up what sounds like the name, with and without its kind.
func (r *Register) hitAlike(l *Lookup, f *folder, at time.Time) {
	var buf [3 * maxQuery]byte
	r.hitRefs(l, r.names.alike[string(alikeKey(f.all(), buf[:0]))], anyKind, at)
	for i := range kindSides {
		word, name := f.split(i)
		if _, ok := kindOf(word); ok && len(name) > 0 && !l.Known() {
			r.hitRefs(l, r.names.alike[string(alikeKey(name, buf[:0]))], anyKind, at)
		}
	}
	l.Approximate = l.Known()
}

func (r *Register) hitRefs(l *Lookup, refs []int32, kind kindFilter, at time.Time) {
	current := 0
	for _, ref := range refs {
		if ref >= 0 && kind(r.at(ref)) {
			current++
		}
	}
	l.Candidates = slices.Grow(l.Candidates, current)
	for _, ref := range refs {
		if (ref >= 0 || current == 0) && kind(r.at(ref)) {
			r.hit(l, ref, at)
		}
	}
}
