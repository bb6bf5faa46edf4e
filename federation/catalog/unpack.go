package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"rathausnetz/federation"
)

// Unpacked is a catalogue with what is needed to decode only the changes of
// the next one. It is not changed after Unpack returns it.
type Unpacked struct {
	Manifest  Manifest
	Catalogue *Catalogue
	buckets   []bucket // by number
}

// bucket is one decoded chunk.
type bucket struct {
	digest      federation.Digest
	raw         int // bytes after decompression
	offers      []Offer
	units       []Unit
	delegations []Delegation
}

// Unpack decodes a whole catalogue. chunk returns the bytes of a group or
// chunk by digest and may fetch them; it is called once for each, in order.
// The bytes are compared with their digest before they are decoded, sizes and
// counts with their limits. Anything that is not exactly as Pack writes it is
// an error, wrapping ErrManifest, ErrVersion, ErrDigest, ErrChunk, ErrLimit
// or ErrInvalid; there is no partial result. The manifest's seal, issuer,
// serial and times are the caller's to check.
func Unpack(m Manifest, chunk func(federation.Digest) ([]byte, error)) (*Catalogue, error) {
	u, err := UnpackFrom(nil, m, chunk)
	if err != nil {
		return nil, err
	}
	return u.Catalogue, nil
}

// UnpackFrom is Unpack for a receiver that holds the previous catalogue of
// the same member: chunk is called for every group but only for the data
// chunks that previous lacks, and only these are decoded. previous may be nil
// and is not changed; the two catalogues share records.
func UnpackFrom(previous *Unpacked, m Manifest, chunk func(federation.Digest) ([]byte, error)) (*Unpacked, error) {
	_, refs, err := m.Walk(chunk)
	if err != nil {
		return nil, err
	}
	if previous == nil || len(previous.buckets) != m.Buckets || previous.Manifest.Issuer != m.Issuer {
		previous = &Unpacked{Catalogue: &Catalogue{}, buckets: make([]bucket, m.Buckets)}
	}
	dec, err := newDecoder()
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	u := &Unpacked{Manifest: m, buckets: make([]bucket, m.Buckets)}
	var changed []int
	total := 0
	for i, ref := range refs {
		if previous.buckets[i].digest == ref.Digest {
			u.buckets[i] = previous.buckets[i]
		} else if err := u.buckets[i].decode(dec, ref, i, m.Buckets, chunk); err != nil {
			return nil, fmt.Errorf("chunk %s: %w", ref.Digest.Short(), err)
		} else {
			changed = append(changed, i)
		}
		if total += u.buckets[i].raw; total > MaxRaw {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrLimit, MaxRaw)
		}
	}
	u.Catalogue = u.join(previous, changed)
	if c := u.Catalogue; len(c.Offers) != m.Offers || len(c.Units) != m.Units || len(c.Delegations) != m.Delegations {
		return nil, fmt.Errorf("%w: %d offers, %d units, %d delegations, but %d, %d, %d were said", ErrManifest,
			len(c.Offers), len(c.Units), len(c.Delegations), m.Offers, m.Units, m.Delegations)
	}
	return u, nil
}

func (b *bucket) decode(dec *zstd.Decoder, ref ChunkRef, number, buckets int, chunk func(federation.Digest) ([]byte, error)) error {
	packed, err := load(ref, chunk)
	if err != nil {
		return err
	}
	raw, err := dec.DecodeAll(packed, nil)
	if err != nil {
		if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
			return fmt.Errorf("%w: more than %d bytes", ErrLimit, MaxChunkRaw)
		}
		return fmt.Errorf("%w: %w", ErrChunk, err)
	}
	b.digest = ref.Digest
	return b.parse(raw, number, buckets)
}

// parse reads the lines of one decompressed chunk.
func (b *bucket) parse(raw []byte, number, buckets int) error {
	b.raw = len(raw)
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 0 || end > MaxRecord {
			return fmt.Errorf("%w: a line without an end or over %d bytes", ErrChunk, MaxRecord)
		}
		if err := b.line(raw[:end], number, buckets); err != nil {
			return err
		}
		raw = raw[end+1:]
	}
	return firstInvalid(Validate(&Catalogue{Offers: b.offers, Units: b.units, Delegations: b.delegations}))
}

// line decodes one record, strictly (no unknown, repeated or differently
// written member names): of a known kind, in its bucket, after the record
// before it in the order of kinds and ids, which also refuses duplicates.
func (b *bucket) line(line []byte, number, buckets int) error {
	var r record
	if err := json.Unmarshal(line, &r, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("%w: %w", ErrChunk, err)
	}
	var kind byte
	var id ID
	inOrder := true
	switch {
	case r.Offer != nil && r.Unit == nil && r.Delegation == nil:
		kind, id = kindOffer, r.Offer.ID
		inOrder = len(b.units)+len(b.delegations) == 0 && (len(b.offers) == 0 || b.offers[len(b.offers)-1].ID < id)
		b.offers = append(b.offers, *r.Offer)
	case r.Unit != nil && r.Offer == nil && r.Delegation == nil:
		kind, id = kindUnit, r.Unit.ID
		inOrder = len(b.delegations) == 0 && (len(b.units) == 0 || b.units[len(b.units)-1].ID < id)
		b.units = append(b.units, *r.Unit)
	case r.Delegation != nil && r.Offer == nil && r.Unit == nil:
		kind, id = kindDelegation, r.Delegation.ID
		inOrder = len(b.delegations) == 0 || b.delegations[len(b.delegations)-1].ID < id
		b.delegations = append(b.delegations, *r.Delegation)
	default:
		return fmt.Errorf("%w: a record of no known kind", ErrChunk)
	}
	if !inOrder || bucketOf(kind, id, buckets) != number {
		return fmt.Errorf("%w: record %q twice or out of place", ErrChunk, clip(string(id)))
	}
	return nil
}

// join puts the records of the changed buckets in the place of those that
// previous has in them. Ids of one kind are unique: each belongs to one
// bucket and is unique there.
func (u *Unpacked) join(previous *Unpacked, changed []int) *Catalogue {
	old := previous.Catalogue
	c := &Catalogue{Member: u.Manifest.Issuer, Serial: u.Manifest.Serial}
	c.Offers = merge(old.Offers, previous.buckets, u.buckets, changed, func(b *bucket) []Offer { return b.offers }, func(o *Offer) ID { return o.ID })
	c.Units = merge(old.Units, previous.buckets, u.buckets, changed, func(b *bucket) []Unit { return b.units }, func(x *Unit) ID { return x.ID })
	c.Delegations = merge(old.Delegations, previous.buckets, u.buckets, changed, func(b *bucket) []Delegation { return b.delegations }, func(d *Delegation) ID { return d.ID })
	return c
}

// merge returns old, which is sorted by id, without what was in the changed
// buckets before and with what is in them now.
func merge[T any](old []T, before, after []bucket, changed []int, list func(*bucket) []T, id func(*T) ID) []T {
	gone := map[ID]bool{}
	var came []*T // sorted as pointers: the records are large
	for _, i := range changed {
		was, is := list(&before[i]), list(&after[i])
		for j := range was {
			gone[id(&was[j])] = true
		}
		for j := range is {
			came = append(came, &is[j])
		}
	}
	slices.SortFunc(came, func(a, b *T) int { return cmp.Compare(id(a), id(b)) })
	out := make([]T, 0, len(old)-len(gone)+len(came))
	for i := range old {
		for len(came) > 0 && id(came[0]) < id(&old[i]) {
			out = append(out, *came[0])
			came = came[1:]
		}
		if !gone[id(&old[i])] {
			out = append(out, old[i])
		}
	}
	for _, r := range came {
		out = append(out, *r)
	}
	return nonEmpty(out)
}
