package session

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso"
)

func TestRecordRefused(t *testing.T) {
	good := encode(&Session{Identity: sso.Identity{Subject: "s", Level: federation.LevelNiedrig}, Started: time.Unix(1, 0)})
	if _, err := decode(good); err != nil {
		t.Fatal(err)
	}
	level := bytes.Clone(good)
	level[1] = byte(federation.LevelHoch) + 1
	version := bytes.Clone(good)
	version[0]++
	length := bytes.Clone(good)
	length[27] = 0xff
	for what, b := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0),
		"unknown level": level, "unknown version": version, "length beyond the end": length,
	} {
		if _, err := decode(b); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v, want ErrRecord", what, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(&Session{}))
	f.Add(encode(&Session{Identity: sso.Identity{
		Issuer: opA, Subject: "sub", Session: "sid", Level: federation.LevelHoch,
		AuthTime: time.Unix(1700000000, 0), AMR: []string{"pwd"}, Claims: sso.Claims{Name: "Erika"},
	}, Started: time.Unix(1700000001, 0), Seen: time.Unix(1700000002, 0), Draft: "d", IDToken: "t"}))
	f.Add([]byte{recordVersion, 1, 16})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decode(b)
		if err != nil {
			return
		}
		if again := encode(s); !bytes.Equal(again, b) {
			t.Errorf("read %x, written again %x", b, again)
		}
	})
}
