package federation

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// MaxAnnouncement is the largest encoded announcement, in bytes: it has to
// fit into gossip metadata (512 bytes) with room to spare.
const MaxAnnouncement = 256

// ErrAnnouncement is wrapped by every refusal of DecodeAnnouncement.
var ErrAnnouncement = errors.New("federation: not an announcement")

const (
	announcementVersion = 1
	signatureSize       = 64 // ES256, r || s
)

// Announcement says that a member has published a catalogue. It is a hint,
// not a fact: it tells a receiver that a pull may be worth while. It carries
// no URL; the place to pull from is in the member's trust chain.
type Announcement struct {
	Member    EntityID
	Serial    uint64
	Manifest  Digest // of the sealed manifest
	Signature [signatureSize]byte
}

// SigningInput returns the bytes the signature covers: everything before it.
func (a Announcement) SigningInput() []byte {
	b := make([]byte, 0, MaxAnnouncement)
	b = append(b, announcementVersion, byte(len(a.Member)))
	b = append(b, a.Member...)
	b = binary.BigEndian.AppendUint64(b, a.Serial)
	return append(b, a.Manifest[:]...)
}

// Encode returns the wire form: version, length and entity ID, serial (8
// bytes, big endian), digest (32), signature (64).
func (a Announcement) Encode() []byte { return append(a.SigningInput(), a.Signature[:]...) }

// DecodeAnnouncement reads exactly one wire form. It checks shape only; the
// signature is checked against the member's keys by whoever acts on the hint.
// The result shares no memory with b.
func DecodeAnnouncement(b []byte) (Announcement, error) {
	var a Announcement
	if len(b) > MaxAnnouncement || len(b) < 2 {
		return a, fmt.Errorf("%w: %d bytes", ErrAnnouncement, len(b))
	}
	if b[0] != announcementVersion {
		return a, fmt.Errorf("%w: version %d", ErrAnnouncement, b[0])
	}
	n := int(b[1])
	if want := 2 + n + 8 + len(a.Manifest) + signatureSize; len(b) != want {
		return a, fmt.Errorf("%w: %d bytes where %d were said", ErrAnnouncement, len(b), want)
	}
	rest := b[2:]
	id, err := ParseEntityID(string(rest[:n]), true)
	if err != nil || string(id) != string(rest[:n]) {
		return a, fmt.Errorf("%w: entity ID", ErrAnnouncement)
	}
	a.Member = id
	rest = rest[n:]
	a.Serial = binary.BigEndian.Uint64(rest)
	copy(a.Manifest[:], rest[8:])
	copy(a.Signature[:], rest[8+len(a.Manifest):])
	if a.Serial == 0 {
		return a, fmt.Errorf("%w: serial 0", ErrAnnouncement)
	}
	return a, nil
}
