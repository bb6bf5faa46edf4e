package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"rathausnetz/federation"
)

// Packed is a catalogue in its wire form: the manifest, not yet sealed and
// without previous digest and times, and every group and chunk it refers to.
type Packed struct {
	Manifest Manifest
	Chunks   map[federation.Digest][]byte
}

// Bytes returns the size of all groups and chunks together.
func (p *Packed) Bytes() int {
	n := 0
	for _, b := range p.Chunks {
		n += len(b)
	}
	return n
}

// The kinds of records, in the order in which a chunk holds them.
const (
	kindOffer      = 'o'
	kindUnit       = 'u'
	kindDelegation = 'd'
)

// record is one line of a chunk: exactly one field is set.
type record struct {
	Offer      *Offer      `json:"o,omitempty"`
	Unit       *Unit       `json:"u,omitempty"`
	Delegation *Delegation `json:"d,omitempty"`
}

// Pack turns c, which it normalises first, into chunks and a manifest. The
// result depends on the content alone: the same catalogue has the same
// digests. It refuses what Validate calls invalid. [DESIGN §3]
func Pack(c *Catalogue) (*Packed, error) {
	c.Normalize()
	if err := firstInvalid(Validate(c)); err != nil {
		return nil, fmt.Errorf("pack %s serial %d: %w", c.Member, c.Serial, err)
	}
	n := len(c.Offers) + len(c.Units) + len(c.Delegations)
	buckets, groups := shape(n)
	lines := make([]bytes.Buffer, buckets)
	if err := c.encode(lines); err != nil {
		return nil, fmt.Errorf("pack %s serial %d: %w", c.Member, c.Serial, err)
	}
	enc, err := newEncoder()
	if err != nil {
		return nil, err
	}
	p := &Packed{Chunks: make(map[federation.Digest][]byte, buckets+groups)}
	p.Manifest = Manifest{
		Version: FormatVersion, Issuer: c.Member, Serial: c.Serial, Buckets: buckets,
		Offers: len(c.Offers), Units: len(c.Units), Delegations: len(c.Delegations),
	}
	per := buckets / groups
	for g := range groups {
		refs := make(RefList, 0, per)
		for _, buf := range lines[g*per : (g+1)*per] {
			ref, err := p.put(enc.EncodeAll(buf.Bytes(), nil))
			if err != nil {
				return nil, fmt.Errorf("pack %s serial %d: %w", c.Member, c.Serial, err)
			}
			refs = append(refs, ref)
		}
		ref, err := p.put(refs.encode())
		if err != nil {
			return nil, err
		}
		p.Manifest.Groups = append(p.Manifest.Groups, ref)
	}
	return p, nil
}

func (p *Packed) put(b []byte) (ChunkRef, error) {
	if len(b) > MaxChunk {
		return ChunkRef{}, fmt.Errorf("%w: a chunk of %d bytes, at most %d are allowed", ErrLimit, len(b), MaxChunk)
	}
	ref := ChunkRef{Digest: federation.Sum(b), Size: len(b)}
	p.Chunks[ref.Digest] = b
	return ref, nil
}

// encode writes every record as one line into its bucket.
func (c *Catalogue) encode(lines []bytes.Buffer) error {
	put := func(kind byte, id ID, r record) error {
		buf := &lines[bucketOf(kind, id, len(lines))]
		before := buf.Len()
		enc := json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if n := buf.Len() - before; n > MaxRecord {
			return fmt.Errorf("%s: %w: %d bytes, at most %d are allowed", id, ErrLimit, n, MaxRecord)
		}
		if buf.Len() > MaxChunkRaw {
			return fmt.Errorf("%s: %w: a chunk of more than %d bytes", id, ErrLimit, MaxChunkRaw)
		}
		return nil
	}
	for i := range c.Offers {
		if err := put(kindOffer, c.Offers[i].ID, record{Offer: &c.Offers[i]}); err != nil {
			return err
		}
	}
	for i := range c.Units {
		if err := put(kindUnit, c.Units[i].ID, record{Unit: &c.Units[i]}); err != nil {
			return err
		}
	}
	for i := range c.Delegations {
		if err := put(kindDelegation, c.Delegations[i].ID, record{Delegation: &c.Delegations[i]}); err != nil {
			return err
		}
	}
	return nil
}

// firstInvalid returns the first Invalid finding as an error.
func firstInvalid(list []Finding) error {
	for _, f := range list {
		if f.Severity == Invalid {
			return fmt.Errorf("%w: %s %s [%s]: %s", ErrInvalid, f.Record, f.Field, f.Code, f.Message)
		}
	}
	return nil
}

func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), zstd.WithZeroFrames(true),
		zstd.WithEncoderDictRaw(dictionaryID, []byte(dictionary)))
}

func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxChunkRaw),
		zstd.WithDecoderMaxWindow(1<<20), zstd.WithDecoderLowmem(true), zstd.WithDecoderDictRaw(dictionaryID, []byte(dictionary)))
}
