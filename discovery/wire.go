package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"rathausnetz/federation"
)

// errWire is wrapped by every refusal of bytes from the network.
var errWire = errors.New("discovery: malformed message")

// The gossip metadata of a node, at most memberlist.MetaMaxSize (512) bytes:
//
//	version 1 | flags | length, entity ID (≤ 120) | length (2), signature (≤ 280)
//	| with flagAnnounced: serial (8), manifest digest (32), signature (64)
//
// The announcement names no member of its own: it is always one of the node's
// entity, which is what its binding vouches for.
const (
	metaVersion      = 1
	flagAnnounced    = 1 << 0
	flagLeaving      = 1 << 1
	maxNodeSignature = 280
	maxEntity        = 120
	maxMeta          = 3 + maxEntity + 2 + maxNodeSignature + 8 + 32 + 64
)

type nodeMeta struct {
	Entity       federation.EntityID
	Signature    []byte // of the binding
	Leaving      bool
	Announcement federation.Announcement // Serial 0: none
}

func (m nodeMeta) encode() []byte {
	b := make([]byte, 0, maxMeta)
	var flags byte
	if m.Announcement.Serial > 0 {
		flags |= flagAnnounced
	}
	if m.Leaving {
		flags |= flagLeaving
	}
	b = append(b, metaVersion, flags, byte(len(m.Entity)))
	b = append(b, m.Entity...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Signature)))
	b = append(b, m.Signature...)
	if flags&flagAnnounced != 0 {
		b = binary.BigEndian.AppendUint64(b, m.Announcement.Serial)
		b = append(b, m.Announcement.Manifest[:]...)
		b = append(b, m.Announcement.Signature[:]...)
	}
	return b
}

// decodeMeta reads exactly one metadata; the result shares no memory with b.
func decodeMeta(b []byte) (nodeMeta, error) {
	var m nodeMeta
	r := reader{b: b}
	version, flags := r.byte(), r.byte()
	id := string(r.take(int(r.byte())))
	m.Signature = append([]byte(nil), r.take(int(r.uint16()))...)
	if version != metaVersion || flags&^(flagAnnounced|flagLeaving) != 0 || len(m.Signature) > maxNodeSignature {
		return m, fmt.Errorf("%w: metadata version %d flags %x", errWire, version, flags)
	}
	entity, err := parseEntity(id)
	if err != nil {
		return m, err
	}
	m.Entity, m.Leaving = entity, flags&flagLeaving != 0
	if flags&flagAnnounced != 0 {
		m.Announcement.Member = entity
		m.Announcement.Serial = r.uint64()
		copy(m.Announcement.Manifest[:], r.take(len(m.Announcement.Manifest)))
		copy(m.Announcement.Signature[:], r.take(len(m.Announcement.Signature)))
		if m.Announcement.Serial == 0 {
			return m, fmt.Errorf("%w: announcement of serial 0", errWire)
		}
	}
	return m, r.end()
}

// parseEntity accepts only the normal form: two spellings of one entity would
// be two members. Loopback names pass here; VerifyNode knows no such member
// where they are not allowed.
func parseEntity(s string) (federation.EntityID, error) {
	id, err := federation.ParseEntityID(s, true)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errWire, err)
	}
	if string(id) != s {
		return "", fmt.Errorf("%w: entity ID not in normal form", errWire)
	}
	return id, nil
}

// A message is what travels in broadcasts, sends and push/pulls: one kind
// byte, then an encoded announcement, or the time in Unix seconds (8 bytes)
// until which a notice is repeated and the notice.
const (
	kindAnnouncement = 'A'
	kindNotice       = 'N'
	maxMessage       = 1 + 8 + maxNotice
)

func announcementMessage(a federation.Announcement) []byte {
	return append([]byte{kindAnnouncement}, a.Encode()...)
}

func noticeMessage(text string, until time.Time) []byte {
	b := append(make([]byte, 0, maxMessage), kindNotice)
	b = binary.BigEndian.AppendUint64(b, uint64(until.Unix()))
	return append(b, text...)
}

// decodeNotice reads what follows the kind byte.
func decodeNotice(b []byte) (text string, until time.Time, err error) {
	r := reader{b: b}
	sec := r.uint64()
	if r.bad || len(r.b) == 0 || len(r.b) > maxNotice || sec > math.MaxInt32*4 {
		return "", time.Time{}, fmt.Errorf("%w: notice", errWire)
	}
	return string(r.b), time.Unix(int64(sec), 0), nil
}

// The state exchanged in a push/pull is a version byte and then messages,
// each after its length (2 bytes).
const (
	stateVersion = 1
	maxState     = 1 << 20
)

func appendState(state, message []byte) []byte {
	if len(state) == 0 {
		state = append(state, stateVersion)
	}
	state = binary.BigEndian.AppendUint16(state, uint16(len(message)))
	return append(state, message...)
}

// splitState calls each for every message; they share memory with b.
func splitState(b []byte, each func([]byte)) error {
	r := reader{b: b}
	if len(b) > maxState || r.byte() != stateVersion {
		return fmt.Errorf("%w: push/pull state of %d bytes", errWire, len(b))
	}
	for len(r.b) > 0 && !r.bad {
		if m := r.take(int(r.uint16())); len(m) > 0 {
			each(m)
		}
	}
	return r.end()
}

// reader takes bytes from the front; after the first shortage it only says bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	head := r.b[:n]
	r.b = r.b[n:]
	return head
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return fmt.Errorf("%w: length", errWire)
	}
	return nil
}
