package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/store"
	"rathausnetz/portal"
	"rathausnetz/testnet"
)

// shownWithin is how soon after its approval a member's offers are everywhere:
// about a second, five at the most, and four times that on a busy machine.
const shownWithin = 20 * time.Second

// TestCodes uses invitation codes in all the wrong ways and then in the right
// one, between a hub, a member and a fresh node as real processes. Each refusal
// is one sentence of its own with exit status 1 and leaves the node as it was.
func TestCodes(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := newProcess(t, bin, "melle", "Stadt Melle")
	fresh := newProcess(t, bin, "bad-essen", "Gemeinde Bad Essen")
	hub.serve()
	fresh.serve()

	expired := hub.invite("Gemeinde Bad Essen", "034590003003")
	hub.kill()
	hub.expireCodes()
	hub.serve()

	used := hub.invite("Stadt Melle", "034590024024")
	melle.serve()
	melle.must(melle.with("join", used.String())...)
	hub.must(hub.with("member", "approve", melle.entity)...)

	good := hub.invite("Gemeinde Bad Essen", "034590003003")
	otherKey, otherSecret := good, good
	otherKey.Fingerprint, otherSecret.Secret = make([]byte, len(good.Fingerprint)), make([]byte, len(good.Secret))
	typo := []byte(good.String())
	if middle := strings.IndexByte(good.String()[40:], '-') + 41; typo[middle] == '7' {
		typo[middle] = 'N'
	} else {
		typo[middle] = '7'
	}
	said := map[string]string{}
	for name, c := range map[string]struct {
		code string
		want error
	}{
		"used by another":   {used.String(), anchor.ErrCodeUsed},
		"expired":           {expired.String(), anchor.ErrCodeExpired},
		"another hub's key": {otherKey.String(), anchor.ErrFingerprint},
		"a typing error":    {string(typo), anchor.ErrCodeTypo},
		"half a code":       {good.String()[:40], anchor.ErrCodeTypo},
		"an unknown secret": {otherSecret.String(), anchor.ErrCodeUnknown},
		"something else":    {"https://example.org/einladung", anchor.ErrCodeForm},
	} {
		sentence := fresh.refused(name, c.code)
		if !strings.Contains(sentence, c.want.Error()) {
			t.Errorf("%s: %q does not say %q", name, sentence, c.want)
		}
		if other, twice := said[sentence]; twice && c.want != anchor.ErrCodeTypo {
			t.Errorf("%s and %s get the same sentence: %s", name, other, sentence)
		}
		said[sentence] = name
		if s, err := fresh.status(); err != nil || s.State != "alone" {
			t.Errorf("%s: the node is %s afterwards, %v", name, s.State, err)
		}
	}

	fresh.must(fresh.with("join", good.String())...)
	hub.must(hub.with("member", "approve", fresh.entity)...)
	approved := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), shownWithin)
	defer cancel()
	if err := testnet.Await(ctx, func() error { return melle.shows(fresh) }); err != nil {
		t.Error(err)
	}
	t.Logf("shown %s after the approval", time.Since(approved).Round(time.Millisecond))
	if out := hub.must(hub.with("audit", "verify")...); !strings.Contains(out, "the chain holds") {
		t.Errorf("audit verify: %s", out)
	}
}

// invite makes a code as the hub's operator does.
func (p *process) invite(legal, ars string) anchor.Code {
	p.t.Helper()
	var inv portal.Invitation
	if err := json.Unmarshal([]byte(p.must(p.with("invite", "--json", "--name", legal, "--ars", ars)...)), &inv); err != nil {
		p.t.Fatal(err)
	}
	code, err := anchor.ParseCode(inv.Code, true)
	if err != nil {
		p.t.Fatal(err)
	}
	return code
}

// expireCodes sets back the end of all invitations of a stopped hub by two days.
func (p *process) expireCodes() {
	p.t.Helper()
	s, err := store.OpenBolt(filepath.Join(p.dir, "data", "store.db"), time.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	codes := map[string]map[string]any{}
	err = s.Scan(p.t.Context(), "anchor/invite/", func(key string, b []byte) bool {
		var rec map[string]any
		err := json.Unmarshal(b, &rec)
		codes[key] = rec
		return err == nil
	})
	if err != nil || len(codes) != 1 {
		p.t.Fatalf("%d invitations, %v", len(codes), err)
	}
	for key, rec := range codes {
		rec["expires"] = time.Now().Add(-48 * time.Hour)
		b, err := json.Marshal(rec)
		if err == nil {
			err = s.Put(p.t.Context(), key, b, time.Hour)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// refused joins with a bad code and returns what stands on stderr.
func (p *process) refused(name, code string) string {
	p.t.Helper()
	cmd := exec.Command(p.bin, p.with("join", code)...)
	cmd.Env = p.env
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		p.t.Errorf("%s: %v", name, err)
	}
	sentence := strings.TrimSpace(said.String())
	if len(out) != 0 || sentence == "" || strings.Contains(sentence, "\n") || strings.Contains(sentence, code) {
		p.t.Errorf("%s: says %q and %q", name, out, sentence)
	}
	return sentence
}

// shows says whether this node holds fresh offers of another.
func (p *process) shows(other *process) error {
	s, err := p.status()
	if err != nil {
		return err
	}
	for _, m := range s.Members {
		if string(m.Member) == other.entity && m.Offers > 0 && m.Copy == "fresh" {
			return nil
		}
	}
	return fmt.Errorf("%s does not show the offers of %s: %+v", p.entity, other.entity, s.Members)
}
