package mirror

import (
	"math/rand/v2"
	"sync"
	"time"

	"rathausnetz/federation"
)

// schedule says which member is to be asked when. One task for each member:
// hints for a member that is waiting or being asked are merged into one.
type schedule struct {
	wake chan struct{} // capacity 1

	mu    sync.Mutex
	tasks map[federation.EntityID]*task // guarded by mu
	every time.Duration
}

type task struct {
	due      time.Time
	running  bool
	hint     *federation.Announcement // newest since the task last began
	failures int
	tokens   float64 // for hints: hintBurst at once, then one each hintEvery
	refilled time.Time
}

// hintBurst is how many pulls of one member may follow hints at once.
const hintBurst = 5

func newSchedule(hintEvery time.Duration) *schedule {
	return &schedule{wake: make(chan struct{}, 1), tasks: make(map[federation.EntityID]*task), every: hintEvery}
}

func (s *schedule) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// at makes sure that id is asked at due or before.
func (s *schedule) at(id federation.EntityID, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil {
		s.tasks[id] = &task{due: due, tokens: hintBurst, refilled: time.Now()}
	} else if due.Before(t.due) {
		t.due = due
	}
	s.signal()
}

// ensure plans the first time id is asked, unless it is planned already.
func (s *schedule) ensure(id federation.EntityID, due time.Time) {
	s.mu.Lock()
	_, planned := s.tasks[id]
	s.mu.Unlock()
	if !planned {
		s.at(id, due)
	}
}

// hint makes id be asked as soon as its rate of hints allows.
func (s *schedule) hint(a federation.Announcement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	t := s.tasks[a.Member]
	if t == nil {
		t = &task{due: now.Add(time.Hour), tokens: hintBurst, refilled: now}
		s.tasks[a.Member] = t
	}
	if t.hint != nil && t.hint.Serial > a.Serial {
		return
	}
	fresh := t.hint == nil
	t.hint = &a
	t.tokens = min(hintBurst, t.tokens+now.Sub(t.refilled).Seconds()/s.every.Seconds())
	t.refilled = now
	due := now
	if fresh {
		t.tokens--
	}
	if t.tokens < 0 {
		due = now.Add(time.Duration(-t.tokens * float64(s.every)))
	}
	if due.Before(t.due) {
		t.due = due
	}
	s.signal()
}

// next returns a task that is due and marks it as running, or else how long
// to wait for one.
func (s *schedule) next(now time.Time) (id federation.EntityID, hint *federation.Announcement, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait = time.Hour
	var best *task
	for k, t := range s.tasks {
		switch {
		case t.running:
		case t.due.After(now):
			wait = min(wait, t.due.Sub(now))
		case best == nil || t.due.Before(best.due):
			best, id = t, k
		}
	}
	if best == nil {
		return "", nil, wait
	}
	hint = best.hint
	best.running, best.hint, best.due = true, nil, now.Add(time.Hour)
	return id, hint, 0
}

// done plans the next time after a pull with this hint ended.
func (s *schedule) done(id federation.EntityID, hint *federation.Announcement, err error, retry, check time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if t == nil {
		return
	}
	t.running = false
	pause := check
	if err == nil {
		t.failures = 0
	} else {
		pause = min(check, retry<<min(t.failures, 16))
		t.failures++
		if t.hint == nil && hint != nil && t.failures < maxHintTries {
			t.hint = hint
		}
	}
	due := time.Now().Add(jitter(pause))
	if t.hint == nil || err != nil || due.Before(t.due) {
		t.due = due
	}
	s.signal()
}

// forget removes the task of id.
func (s *schedule) forget(id federation.EntityID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tasks, id)
}

// jitter spreads d by a quarter up and down.
func jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}
