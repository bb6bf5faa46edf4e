package mirror

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rathausnetz/federation"
)

var errSome = errors.New("some fault")

// nextPause advances time until the task is due and takes it.
func nextPause(t *testing.T, s *schedule) (time.Duration, *federation.Announcement) {
	t.Helper()
	start := time.Now()
	for {
		id, hint, wait := s.next(time.Now())
		if id != "" {
			return time.Since(start), hint
		}
		<-time.After(wait) // inside a bubble: nothing waits in truth
	}
}

func TestBackoffGrowsAndIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(time.Second)
		s.at("https://a.example", time.Now())
		const retry, check = 2 * time.Second, time.Minute
		want := time.Duration(0)
		for i := range 10 {
			got, _ := nextPause(t, s)
			if got < want*3/4 || got > want*5/4+1 {
				t.Errorf("attempt %d after %s, want about %s", i, got, want)
			}
			s.done("https://a.example", nil, errSome, retry, check)
			want = min(check, retry<<i)
		}
		nextPause(t, s)
		s.done("https://a.example", nil, nil, retry, check)
		if got, _ := nextPause(t, s); got < check*3/4 {
			t.Errorf("after a success %s", got)
		}
	})
}

func TestHintsAreMergedAndLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(10 * time.Second)
		const id = federation.EntityID("https://a.example")
		var last time.Duration
		for i := range hintBurst + 3 {
			for k := range 4 { // only the newest of four counts
				s.hint(federation.Announcement{Member: id, Serial: uint64(4*i + k + 1)})
			}
			got, hint := nextPause(t, s)
			if hint == nil || hint.Serial != uint64(4*i+4) {
				t.Fatalf("round %d: hint %v", i, hint)
			}
			if i < hintBurst && got != 0 {
				t.Errorf("round %d waited %s", i, got)
			}
			last = got
			s.done(id, hint, nil, time.Second, time.Hour)
		}
		if last < 9*time.Second {
			t.Errorf("beyond the burst only %s between two", last)
		}
		s.hint(federation.Announcement{Member: id, Serial: 100})
		_, hint := nextPause(t, s)
		s.hint(federation.Announcement{Member: id, Serial: 101}) // while it is being pulled
		s.done(id, hint, nil, time.Second, time.Hour)
		if _, hint := nextPause(t, s); hint == nil || hint.Serial != 101 {
			t.Errorf("a hint during a pull was lost: %v", hint)
		}
	})
}

func TestHintOutlivesAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule(time.Second)
		const id = federation.EntityID("https://a.example")
		s.hint(federation.Announcement{Member: id, Serial: 7})
		for i := range maxHintTries + 1 {
			_, hint := nextPause(t, s)
			if (hint != nil) != (i < maxHintTries) {
				t.Errorf("try %d: hint %v", i, hint)
			}
			s.done(id, hint, errSome, time.Second, time.Hour)
		}
	})
}

func TestOneTaskRunsOnceAtATime(t *testing.T) {
	s := newSchedule(time.Second)
	const id = federation.EntityID("https://a.example")
	s.at(id, time.Now())
	if got, _, _ := s.next(time.Now()); got != id {
		t.Fatal("not due")
	}
	s.at(id, time.Now())
	s.hint(federation.Announcement{Member: id, Serial: 1})
	if got, _, _ := s.next(time.Now()); got != "" {
		t.Error("taken twice")
	}
	s.forget(id)
	s.done(id, nil, nil, time.Second, time.Second)
	if got, _, _ := s.next(time.Now().Add(time.Hour)); got != "" {
		t.Error("a forgotten task came back")
	}
}

func TestNothingIsLeftAfterRun(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	n := newNet(t)
	owner, reader := n.member("owner").open(), n.member("reader")
	owner.publish(5)
	reader.run()
	await(t, "pulled", func() bool { return reader.holds(owner, 1) })
	owner.setFault(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	reader.Hint(owner.publish(6))
	await(t, "a pull is under way", func() bool { return reader.tasks.running(owner.id) })
	reader.stop()
	n.client.CloseIdleConnections()
	owner.server.Close()
	reader.server.Close()
	await(t, "no goroutine is left", func() bool { return goleak.Find(ignore) == nil })
}
