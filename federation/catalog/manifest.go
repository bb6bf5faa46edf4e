package catalog

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"

	"rathausnetz/federation"
)

// ManifestType is the typ header of a sealed manifest.
const ManifestType = "catalog-manifest+jwt"

// FormatVersion is the version of manifest, chunks and dictionary together. A
// receiver refuses any other.
const FormatVersion = 1

// Limits of the wire form, checked before anything is allocated for it.
const (
	// MaxManifest is the largest sealed manifest, in bytes.
	MaxManifest = 64 << 10
	// MaxChunk is the largest group or chunk as sent, in bytes.
	MaxChunk = 1 << 20
	// MaxChunkRaw is the largest chunk after decompression, in bytes.
	MaxChunkRaw = 8 << 20
	// MaxRaw is the largest catalogue after decompression, in bytes.
	MaxRaw = 64 << 20
)

// Errors of the wire form, wrapped with the subject.
var (
	ErrManifest = errors.New("catalog: not a manifest")
	ErrVersion  = errors.New("catalog: unknown format version")
	ErrDigest   = errors.New("catalog: bytes do not match their digest")
	ErrChunk    = errors.New("catalog: not a chunk")
	ErrLimit    = errors.New("catalog: over its limit")
	ErrInvalid  = errors.New("catalog: invalid record")
)

// Manifest lists what a catalogue at one serial consists of. It is sealed by
// the publisher with trust.Sign and ManifestType [DESIGN §3].
//
// The records are spread by a hash of their id over Buckets chunks, and the
// references to the chunks, in the order of buckets, over the groups: Groups
// → group → chunk → records. One changed record therefore costs a manifest,
// one group and one chunk, and the manifest stays small. Groups and chunks
// are fetched by digest in the same way; Refs reads the references in a
// group.
type Manifest struct {
	Version     int                 `json:"v"`
	Issuer      federation.EntityID `json:"iss"`
	Serial      uint64              `json:"serial"`
	Previous    federation.Digest   `json:"prev,omitzero"` // of the sealed manifest before
	IssuedAt    int64               `json:"iat"`           // Unix seconds
	Expires     int64               `json:"exp"`           // Unix seconds
	Offers      int                 `json:"offers"`
	Units       int                 `json:"units"`
	Delegations int                 `json:"delegations"`
	Buckets     int                 `json:"buckets"` // a power of two
	Groups      RefList             `json:"groups"`  // a power of two, at most Buckets
}

// ChunkRef names immutable bytes: a group or a chunk.
type ChunkRef struct {
	Digest federation.Digest
	Size   int // bytes as sent
}

// RefList is written as base64url of 35 bytes for each reference: digest and
// size in 3 bytes, big endian.
type RefList []ChunkRef

const refSize = len(federation.Digest{}) + 3

// MarshalText implements encoding.TextMarshaler.
func (l RefList) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, l.encode()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *RefList) UnmarshalText(b []byte) error {
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(nil, b)
	if err != nil {
		return fmt.Errorf("%w: references: %w", ErrManifest, err)
	}
	if len(raw) == 0 { // Check refuses a manifest without groups
		*l = nil
		return nil
	}
	*l, err = Refs(raw)
	return err
}

func (l RefList) encode() []byte {
	b := make([]byte, 0, len(l)*refSize)
	for _, r := range l {
		b = append(b, r.Digest[:]...)
		b = append(b, byte(r.Size>>16), byte(r.Size>>8), byte(r.Size))
	}
	return b
}

// Refs reads the references in a group. Sizes are within MaxChunk.
func Refs(group []byte) (RefList, error) {
	if len(group) == 0 || len(group)%refSize != 0 || len(group) > MaxChunk {
		return nil, fmt.Errorf("%w: a group of %d bytes", ErrChunk, len(group))
	}
	l := make(RefList, 0, len(group)/refSize)
	for b := group; len(b) > 0; b = b[refSize:] {
		var r ChunkRef
		n := copy(r.Digest[:], b)
		r.Size = int(b[n])<<16 | int(b[n+1])<<8 | int(b[n+2])
		if r.Size == 0 || r.Size > MaxChunk {
			return nil, fmt.Errorf("%w: chunk %s of %d bytes", ErrLimit, r.Digest.Short(), r.Size)
		}
		l = append(l, r)
	}
	return l, nil
}

// Check reports what makes m unusable, whoever sealed it: version, limits and
// counts that contradict each other. Issuer, serial and times are compared by
// whoever knows what to expect.
func (m Manifest) Check() error {
	switch {
	case m.Version != FormatVersion:
		return fmt.Errorf("%w %d, this program knows %d: update it", ErrVersion, m.Version, FormatVersion)
	case m.Serial == 0:
		return fmt.Errorf("%w: serial 0", ErrManifest)
	case m.Offers < 0 || m.Units < 0 || m.Delegations < 0 || m.Offers > MaxRecords || m.Units > MaxRecords || m.Delegations > MaxRecords,
		m.Offers+m.Units+m.Delegations > MaxRecords:
		return fmt.Errorf("%w: %d offers, %d units, %d delegations", ErrLimit, m.Offers, m.Units, m.Delegations)
	case m.Buckets < 1 || m.Buckets > MaxRecords || bits.OnesCount(uint(m.Buckets)) != 1:
		return fmt.Errorf("%w: %d buckets", ErrManifest, m.Buckets)
	case len(m.Groups) < 1 || len(m.Groups) > m.Buckets || bits.OnesCount(uint(len(m.Groups))) != 1:
		return fmt.Errorf("%w: %d groups of %d buckets", ErrManifest, len(m.Groups), m.Buckets)
	}
	return nil
}

// Digest is the digest of m without serial, previous digest and times: two
// manifests with the same Digest list the same content of the same issuer.
func (m Manifest) Digest() federation.Digest {
	m.Serial, m.Previous, m.IssuedAt, m.Expires = 0, federation.Digest{}, 0, 0
	b, err := json.Marshal(m)
	if err != nil { // no field of Manifest can fail
		return federation.Digest{}
	}
	return federation.Sum(b)
}

// Walk returns all references of m in order: the groups, then the chunks. It
// reads each group through chunk and checks it. A mirror uses it to see what
// it lacks, and what it may forget.
func (m Manifest) Walk(chunk func(federation.Digest) ([]byte, error)) (groups, chunks RefList, err error) {
	if err := m.Check(); err != nil {
		return nil, nil, err
	}
	per := m.Buckets / len(m.Groups)
	for _, g := range m.Groups {
		b, err := load(g, chunk)
		if err != nil {
			return nil, nil, fmt.Errorf("group %s: %w", g.Digest.Short(), err)
		}
		refs, err := Refs(b)
		if err != nil {
			return nil, nil, fmt.Errorf("group %s: %w", g.Digest.Short(), err)
		}
		if len(refs) != per {
			return nil, nil, fmt.Errorf("%w: group %s has %d references, not %d", ErrChunk, g.Digest.Short(), len(refs), per)
		}
		chunks = append(chunks, refs...)
	}
	return m.Groups, chunks, nil
}

// load returns the bytes of ref after comparing size and digest.
func load(ref ChunkRef, chunk func(federation.Digest) ([]byte, error)) ([]byte, error) {
	b, err := chunk(ref.Digest)
	if err != nil {
		return nil, err
	}
	if len(b) != ref.Size || federation.Sum(b) != ref.Digest {
		return nil, fmt.Errorf("%w: %s", ErrDigest, ref.Digest.Short())
	}
	return b, nil
}

// bucketOf returns the bucket of a record: the first bits of the digest of
// its kind and id.
func bucketOf(kind byte, id ID, buckets int) int {
	sum := federation.Sum(append([]byte{kind, ':'}, id...))
	return int(binary.BigEndian.Uint32(sum[:]) >> (32 - bits.TrailingZeros(uint(buckets))))
}

// shape returns the number of buckets and groups for n records: at most
// recordsPerBucket on average, and about as many groups as references in one.
func shape(n int) (buckets, groups int) {
	buckets = 1
	for buckets*recordsPerBucket < n && buckets < MaxRecords {
		buckets *= 2
	}
	return buckets, 1 << (bits.TrailingZeros(uint(buckets)) / 2)
}

// recordsPerBucket keeps a chunk at 2 to 3 KB, so that one changed offer of
// 500 costs less than 6 KB and one of 5,000 less than 12 KB.
const recordsPerBucket = 6
