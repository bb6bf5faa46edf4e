package xzufi

import (
	"fmt"
	"io"

	"rathausnetz/federation/catalog"
)

// Batch is what one import has read, in order: later records replace earlier
// ones of the same class and id.
type Batch struct {
	Records []Record
	Report  Report
}

// Read adds one message to a batch. On an error the batch must not be used.
func Read(r io.Reader, file string, opt Options, into *Batch) error {
	limit := opt.filled().Limits.MaxRecords
	return Scan(r, file, opt, &into.Report, func(rec Record) error {
		if len(into.Records) >= limit {
			return &Error{
				File: file, Line: rec.Line, ID: string(rec.ID), Err: ErrLimit,
				Message: fmt.Sprintf("Die Lieferung hat mehr als %d Einträge. Liefern Sie nur die Einträge Ihres Gebiets.", limit),
			}
		}
		into.Records = append(into.Records, rec)
		return nil
	})
}

// key names a record inside a state: ids are unique by class only.
type key struct {
	klasse Klasse
	id     catalog.ID
}

// state is a catalogue taken apart into records, so that a batch can change
// it one by one in any order.
type state struct {
	records map[key]Record
	rep     *Report
	seen    map[key]string // what the batch has written, and in which file
}

// explode takes a catalogue apart.
func explode(c *catalog.Catalogue, rep *Report) *state {
	s := &state{records: map[key]Record{}, rep: rep, seen: map[key]string{}}
	if c == nil {
		return s
	}
	for i := range c.Offers {
		o := c.Offers[i]
		s.explodeClaims(&o)
		o.Zustaendigkeiten, o.Onlinedienste = nil, nil
		s.put(Record{Klasse: Leistung, ID: o.ID, Offer: &o})
	}
	for i := range c.Units {
		u := c.Units[i]
		s.put(Record{Klasse: Organisationseinheit, ID: u.ID, Unit: &u})
	}
	for i := range c.Delegations {
		d := c.Delegations[i]
		s.put(Record{Klasse: Zustaendigkeit, ID: d.ID, Claim: &Claim{To: d.To, Leika: d.Leika, Areas: d.Areas, Valid: d.Valid}})
	}
	return s
}

func (s *state) explodeClaims(o *catalog.Offer) {
	for _, z := range o.Zustaendigkeiten {
		k := key{Zustaendigkeit, z.ID}
		rec, ok := s.records[k]
		if !ok {
			rec = Record{Klasse: Zustaendigkeit, ID: z.ID, Claim: &Claim{Parent: z.Unit, Offer: o.ID, Role: z.Role, Valid: z.Valid}}
		}
		rec.Claim.Areas = append(rec.Claim.Areas, z.Area)
		rec.Claim.Except = append(rec.Claim.Except, z.Except...)
		s.records[k] = rec
	}
	for _, d := range o.Onlinedienste {
		for _, l := range linksOf(o.ID, d) {
			s.put(Record{Klasse: Zustaendigkeit, ID: l.ID, Claim: &Claim{Parent: d.ID, Offer: o.ID, Areas: l.Areas, Role: catalog.Zustaendig, OfOnline: true}})
		}
		form := d
		form.Areas, form.Links = nil, nil
		s.put(Record{Klasse: Onlinedienst, ID: d.ID, Form: &form})
	}
}

// linksOf returns the links of a form, or one made up from the ids for a form
// that did not come from XZuFi.
func linksOf(offer catalog.ID, d catalog.Onlinedienst) []catalog.Link {
	if len(d.Links) > 0 {
		return d.Links
	}
	agency, value := d.ID.Split()
	_, of := offer.Split()
	return []catalog.Link{{ID: catalog.NewID(agency, value+"."+of), Areas: d.Areas}}
}

func (s *state) put(r Record) { s.records[key{r.Klasse, r.ID}] = r }

// apply takes the records of a batch in order.
func (s *state) apply(b *Batch) {
	for _, r := range b.Records {
		k := key{r.Klasse, r.ID}
		if r.Delete {
			s.remove(k, r)
			continue
		}
		if file, ok := s.seen[k]; ok {
			s.say(r, catalog.CodeDuplicate, fmt.Sprintf("Der Eintrag kommt in der Lieferung mehrmals vor, zuerst in %s. Der letzte gilt.", file), "Liefern Sie jeden Eintrag einmal.")
		}
		s.seen[k] = r.File
		s.records[k] = r
	}
}

// remove deletes a record. A Spezialisierung of an earlier import is kept as
// a Leistung, so its id is looked for under both classes.
func (s *state) remove(k key, r Record) {
	other := k
	if k.klasse == Spezialisierung {
		other.klasse = Leistung
	}
	_, ok := s.records[k]
	_, okOther := s.records[other]
	if !ok && !okOther {
		s.say(r, catalog.CodeDeleteUnknown, "Gelöscht werden sollte ein Eintrag, den es nicht gibt. Nichts wurde geändert.", "")
		return
	}
	delete(s.records, k)
	delete(s.records, other)
	delete(s.seen, k)
}

func (s *state) say(r Record, code, message, remedy string) {
	s.rep.find(catalog.Finding{
		Severity: catalog.Warn, Code: code, Record: r.ID, Field: string(r.Klasse), Message: message, Remedy: remedy, File: r.File, Line: r.Line,
	})
}

func (s *state) orphan(r Record, message, remedy string) {
	if len(s.rep.Orphans) < maxFindings {
		s.rep.Orphans = append(s.rep.Orphans, r.ID)
	}
	s.say(r, catalog.CodeOrphan, message, remedy)
}

// BatchOf takes a catalogue apart into a batch, as if it had been read from
// file: what came as a table or as YAML is then imported like everything else,
// with the same checks and the same question before a mass delete.
func BatchOf(c *catalog.Catalogue, file string) *Batch {
	s := explode(c.Clone(), &Report{})
	b := &Batch{Report: Report{Files: []string{file}}}
	for _, k := range [...]Klasse{Organisationseinheit, Leistung, Onlinedienst, Zustaendigkeit} {
		for _, r := range s.sorted(k) {
			r.File = file
			b.Report.read(k)
			b.Records = append(b.Records, r)
		}
	}
	return b
}
