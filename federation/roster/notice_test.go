package roster_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/region"
	"rathausnetz/federation/roster"
	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

func TestH128_RevocationNotices(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	r := w.roster(t, dir)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := w.clock.Now()
	for name, c := range map[string]struct {
		compact string
		want    error
	}{
		"forged":                     {notice(t, w.kreis, trusttest.Key("mallory"), w.bohmte, 1, now), trust.ErrUnknownKey},
		"by another member":          {notice(t, w.melle, w.melle.Key, w.bohmte, 1, now), trust.ErrNotSuperior},
		"by itself":                  {notice(t, w.bohmte, w.bohmte.Key, w.bohmte, 1, now), trust.ErrNotSuperior},
		"hub's name, member's key":   {notice(t, w.kreis, w.melle.Key, w.bohmte, 1, now), trust.ErrUnknownKey},
		"about a former membership":  {notice(t, w.kreis, w.kreis.Key, w.bohmte, 0xffff, now)[:40], trust.ErrToken},
		"about somebody unknown":     {notice(t, w.kreis, w.kreis.Key, &trusttest.Entity{ID: "https://fremd.example"}, 1, now), roster.ErrNotMember},
		"expired":                    {notice(t, w.kreis, w.kreis.Key, w.bohmte, 1, now.Add(-72*time.Hour)), trust.ErrExpired},
		"from the future":            {notice(t, w.kreis, w.kreis.Key, w.bohmte, 1, now.Add(time.Hour)), trust.ErrNotYet},
		"another token of the hub's": {w.kreis.Mark(w.bohmte), trust.ErrType},
		"nothing":                    {"", trust.ErrToken},
	} {
		if err := r.Notice(c.compact); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		want(t, r, w.bohmte, w.kreis, w.melle)
	}
	genuine := notice(t, w.kreis, w.kreis.Key, w.bohmte, 1, now)
	drain(r)
	w.down(true, true) // a notice needs nobody's answer
	if err := r.Notice(genuine); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.kreis, w.melle)
	select {
	case <-r.Changed():
	default:
		t.Error("no signal")
	}
	if _, err := r.Chain(w.bohmte.ID); !errors.Is(err, roster.ErrRevoked) {
		t.Errorf("chain: %v", err)
	}
	if err := r.Notice(genuine); err != nil {
		t.Errorf("the same notice again: %v", err)
	}
	// It survives a restart while nobody answers.
	again := w.roster(t, dir)
	if err := again.Load(); err != nil {
		t.Fatal(err)
	}
	want(t, again, w.kreis, w.melle)
	// The hub still lists the member, of that generation: it stays out.
	w.down(false, false)
	if err := again.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, again, w.kreis, w.melle)
	// Re-admitted as the next generation: in, and the old notice has no effect.
	w.Change(func() { w.bohmte.Generation = 2 })
	if err := again.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, again, w.bohmte, w.kreis, w.melle)
	fresh := w.roster(t, "")
	if err := fresh.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Notice(genuine); !errors.Is(err, trust.ErrOldNotice) {
		t.Errorf("replayed after re-admission: %v", err)
	}
	want(t, fresh, w.bohmte, w.kreis, w.melle)
}

func drain(r *roster.Roster) {
	select {
	case <-r.Changed():
	default:
	}
}

func TestH128_NoticeAboutTheHubEndsAllBelow(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Notice(notice(t, w.land, w.land.Key, w.kreis, 1, w.clock.Now())); err != nil {
		t.Fatal(err)
	}
	want(t, r)
	for _, v := range r.Verdicts() {
		if v.State != roster.StateRevoked || v.Reason == "" {
			t.Errorf("%+v", v)
		}
	}
}

func TestH128_NoticesOfTheAnchorAreAskedForToo(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	compact := notice(t, w.land, w.land.Key, w.kreis, 1, w.clock.Now())
	w.Change(func() {
		w.land.Serve = func(rw http.ResponseWriter, req *http.Request) bool {
			if req.URL.Path != "/federation/notices" {
				return false
			}
			_ = json.NewEncoder(rw).Encode(map[string]any{"notices": []string{compact}})
			return true
		}
	})
	for range 4 {
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, r)
}

func TestH129_HubUnreachableLongerThanStatementsLive(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.down(true, true)
	w.clock.Add(59 * time.Minute)
	if err := r.Refresh(t.Context()); !errors.Is(err, roster.ErrHub) {
		t.Errorf("%v", err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
	if _, ok := r.Lapsed(w.melle.ID); ok {
		t.Error("lapsed while its statements hold")
	}
	w.clock.Add(2 * time.Minute)
	want(t, r)
	if c, ok := r.Lapsed(w.melle.ID); !ok || c.Leaf != w.melle.ID {
		t.Error("a member whose statements ran out is forgotten, not lapsed")
	}
	if _, ok := r.Lapsed("https://stranger.example"); ok {
		t.Error("a stranger is lapsed")
	}
	if _, err := r.Chain(w.melle.ID); !errors.Is(err, roster.ErrExpired) {
		t.Errorf("%v", err)
	}
	for _, v := range r.Verdicts() {
		if v.State != roster.StateExpired || v.Reason == "" {
			t.Errorf("%+v", v)
		}
	}
}

func TestMemberOfAnotherHubIsNoMemberHere(t *testing.T) {
	w := newWorld(t)
	other := w.AddHub("emsland", w.land, federation.Scope{Subtree: []region.Area{region.MustArea("03454")}})
	lingen := w.AddMember("lingen", other, "034540032032")
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.RefreshMember(t.Context(), lingen.ID); !errors.Is(err, roster.ErrNotMember) {
		t.Errorf("%v", err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
	neu := w.AddMember("neu", w.kreis, "034590001001")
	if err := r.RefreshMember(t.Context(), neu.ID); err != nil {
		t.Errorf("a member that the list does not have yet: %v", err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle, neu)
}

func TestMemberThatShowsNoMarkIsRefusedAndSaysWhy(t *testing.T) {
	w := newWorld(t)
	w.Change(func() {
		w.bohmte.Bend = func(what string, claims map[string]any) {
			if what == "configuration" {
				delete(claims, "trust_marks")
			}
		}
	})
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.kreis, w.melle)
	if _, err := r.Chain(w.bohmte.ID); !errors.Is(err, roster.ErrNotMember) {
		t.Errorf("%v", err)
	}
	for _, v := range r.Verdicts() {
		if v.ID == w.bohmte.ID && (v.State != roster.StateRefused || v.Reason == "") {
			t.Errorf("%+v", v)
		}
	}
	w.Change(func() { w.bohmte.Bend = nil })
	before := w.Requests("bohmte", "/.well-known/openid-federation")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.Requests("bohmte", "/.well-known/openid-federation") != before {
		t.Error("asked again without patience")
	}
	w.clock.Add(2 * time.Second)
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, r, w.bohmte, w.kreis, w.melle)
}

func TestHubAnswersThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	r := w.roster(t, "")
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"HTML": "<html>", "object": "{}", "numbers": "[1]", "huge": string(make([]byte, 5<<20))} {
		w.Change(func() {
			w.kreis.Serve = func(rw http.ResponseWriter, req *http.Request) bool {
				if req.URL.Path != "/federation/list" {
					return false
				}
				_, _ = rw.Write([]byte(body))
				return true
			}
		})
		if err := r.Refresh(t.Context()); !errors.Is(err, roster.ErrHub) {
			t.Errorf("%s: %v", name, err)
		}
		want(t, r, w.bohmte, w.kreis, w.melle)
	}
}

func TestRunTakesNoticesFromTheHubAndEnds(t *testing.T) {
	w := newWorld(t)
	heard := make(chan trust.Notice, 1)
	r, err := roster.New(roster.Config{
		Resolver: w.Resolver(w.land), Hub: w.kreis.ID, Self: w.melle.ID, HTTP: w.Client(), Dir: t.TempDir(), Now: w.clock.Now,
		RefreshEvery: 20 * time.Millisecond, OnNotice: func(n trust.Notice, _ string) { heard <- n },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	await(t, r, 3)
	compact := notice(t, w.kreis, w.kreis.Key, w.bohmte, 1, w.clock.Now())
	w.Change(func() {
		w.kreis.Serve = func(rw http.ResponseWriter, req *http.Request) bool {
			if req.URL.Path != "/federation/notices" {
				return false
			}
			_ = json.NewEncoder(rw).Encode(map[string]any{"notices": []string{"x", compact}})
			return true
		}
	})
	await(t, r, 2)
	if n := <-heard; n.Subject != w.bohmte.ID {
		t.Errorf("%+v", n)
	}
	cancel()
	wg.Wait()
}

// await waits until the roster has this many members.
func await(t *testing.T, r *roster.Roster, members int) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for len(r.Members()) != members {
		select {
		case <-r.Changed():
		case <-deadline:
			t.Fatalf("members %v, want %d; %+v", ids(r), members, r.Verdicts())
		}
	}
}
