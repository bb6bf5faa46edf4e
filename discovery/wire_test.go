package discovery

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"rathausnetz/federation"
)

// longestEntity has the 120 bytes an entity ID may have.
func longestEntity() federation.EntityID {
	return federation.EntityID("https://" + strings.Repeat("a", maxEntity-len("https://.example")) + ".example")
}

func TestLongestMetadataFits(t *testing.T) {
	m := nodeMeta{Entity: longestEntity(), Signature: bytes.Repeat([]byte{1}, maxNodeSignature), Leaving: true,
		Announcement: announcement(longestEntity(), 1<<63)}
	b := m.encode()
	if len(b) > memberlist.MetaMaxSize || len(b) != maxMeta {
		t.Errorf("%d bytes of metadata, memberlist panics above %d", len(b), memberlist.MetaMaxSize)
	}
	if n := len(m.Announcement.Encode()); n > federation.MaxAnnouncement {
		t.Errorf("announcement of %d bytes", n)
	}
	got, err := decodeMeta(b)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("decoded %+v, %v", got, err)
	}
}

func TestMetadataRefused(t *testing.T) {
	good := nodeMeta{Entity: entity(1), Signature: []byte{1, 2}, Announcement: announcement(entity(1), 1)}.encode()
	zero := nodeMeta{Entity: entity(1), Announcement: announcement(entity(1), 1)}.encode()
	copy(zero[len(zero)-104:], make([]byte, 8))
	upper := nodeMeta{Entity: "https://Gemeinde.example"}
	slash := nodeMeta{Entity: "https://gemeinde.example/"}
	for name, b := range map[string][]byte{
		"empty":         {},
		"cut":           good[:len(good)-1],
		"longer":        append(bytes.Clone(good), 0),
		"other version": append([]byte{9}, good[1:]...),
		"unknown flag":  append([]byte{good[0], 0x80}, good[2:]...),
		"serial 0":      zero,
		"upper case":    upper.encode(),
		"slash":         slash.encode(),
		"no entity":     nodeMeta{}.encode(),
	} {
		if _, err := decodeMeta(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMessagesFitIntoOnePacket(t *testing.T) {
	const overhead = 100 // encryption, compound and user message headers
	if n := len(noticeMessage(strings.Repeat("x", maxNotice), time.Unix(1, 0))); n > 1400-overhead {
		t.Errorf("a notice takes %d bytes", n)
	}
}

func TestInboxDropsTheOldest(t *testing.T) {
	q := newInbox(3)
	for _, m := range []string{"a", "b", "c", "d", "e"} {
		q.message([]byte(m))
	}
	q.node("x")
	q.node("x")
	messages, nodes := q.take()
	if got := string(bytes.Join(messages, nil)); got != "cde" || q.drops() != 2 || len(nodes) != 1 {
		t.Errorf("kept %q, dropped %d, nodes %v", got, q.drops(), nodes)
	}
	if messages, nodes = q.take(); len(messages)+len(nodes) != 0 {
		t.Error("not empty after take")
	}
}

func TestInboxCopies(t *testing.T) {
	q := newInbox(3)
	b := []byte("abc")
	q.message(b)
	b[0] = 'x' // memberlist reuses its buffer
	if messages, _ := q.take(); string(messages[0]) != "abc" {
		t.Errorf("kept %q", messages[0])
	}
}

func TestGossipName(t *testing.T) {
	g := newGossipName(entity(1), "node-1.kreis", time.UnixMilli(1234567))
	got, err := parseGossipName(g.String())
	if err != nil || got != g {
		t.Errorf("%q became %+v, %v", g, got, err)
	}
	for _, bad := range []string{"", "a", "a~1", "a~1~2~3", "A~1~12345678", "a~-1~12345678", "a~01~12345678", "~1~12345678", "a~1~1234567"} {
		if _, err := parseGossipName(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func FuzzMeta(f *testing.F) {
	f.Add(nodeMeta{Entity: entity(1), Signature: []byte{1}}.encode())
	f.Add(nodeMeta{Entity: longestEntity(), Signature: bytes.Repeat([]byte{1}, maxNodeSignature), Announcement: announcement(longestEntity(), 7)}.encode())
	f.Add([]byte{metaVersion, flagAnnounced, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMeta(b)
		if err == nil && !bytes.Equal(m.encode(), b) {
			t.Errorf("two encodings of %+v", m)
		}
	})
}

func FuzzState(f *testing.F) {
	s := appendState(nil, announcementMessage(announcement(entity(1), 1)))
	f.Add(appendState(s, noticeMessage("x", time.Unix(9, 0))))
	f.Add([]byte{stateVersion, 0, 5, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		_ = splitState(b, func(m []byte) {
			total += len(m)
			if m[0] == kindNotice {
				if text, until, err := decodeNotice(m[1:]); err == nil && !bytes.Equal(noticeMessage(text, until), m) {
					t.Error("two encodings of a notice")
				}
			}
		})
		if total > len(b) {
			t.Error("more came out than went in")
		}
	})
}
