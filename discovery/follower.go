package discovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"rathausnetz/federation"
)

// ErrFollower is returned for what only a node in the gossip can do.
var ErrFollower = errors.New("discovery: not possible for a node that only follows")

// FollowerConfig is what NewFollower needs; the functions are those of Config.
type FollowerConfig struct {
	Self    federation.EntityID
	HTTP    *http.Client                 // redirects are not followed
	Sources func() []federation.EntityID // members to ask, the best first: the hub, then others

	VerifyAnnouncement func(federation.Announcement) error
	OnAnnouncement     func(federation.Announcement)
	OnNotice           func(notice string) error
	OnReachable        func(id federation.EntityID, up bool)

	RetryAfter time.Duration // first pause after all sources have failed, doubled up to a minute; default 1 s
	Repeat     time.Duration // own announcement is told again this often; default 5 min
	Now        func() time.Time
	Log        *slog.Logger
}

// Follower learns by outbound HTTPS alone what Discovery learns by gossip, from
// any member that serves FollowHandler. It has the same methods, so a portal
// can use either. All methods are safe for concurrent use.
type Follower struct {
	cfg  FollowerConfig
	http *http.Client
	core *Discovery // never listens: judges and keeps what was heard
}

// NewFollower checks cfg and returns a stopped follower; it does no I/O.
func NewFollower(cfg FollowerConfig) (*Follower, error) {
	if cfg.Self == "" || cfg.HTTP == nil || cfg.Sources == nil || cfg.VerifyAnnouncement == nil {
		return nil, fmt.Errorf("%w: Self, HTTP, Sources and VerifyAnnouncement are needed", ErrConfig)
	}
	if cfg.RetryAfter <= 0 {
		cfg.RetryAfter = time.Second
	}
	if cfg.Repeat <= 0 {
		cfg.Repeat = 5 * time.Minute
	}
	c := Config{
		Self: cfg.Self, VerifyAnnouncement: cfg.VerifyAnnouncement, OnAnnouncement: cfg.OnAnnouncement,
		OnNotice: cfg.OnNotice, OnReachable: cfg.OnReachable, Now: cfg.Now, Log: cfg.Log,
	}
	c.defaults()
	plain := *cfg.HTTP
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Follower{cfg: cfg, http: &plain, core: newCore(c)}, nil
}

// Run follows until ctx ends; it returns nil.
func (f *Follower) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { f.follow(ctx) })
	wg.Go(func() { f.tell(ctx) })
	f.core.loop(ctx)
	f.ReleaseFollowers()
	wg.Wait()
	return nil
}

// follow asks one source again and again, another one after a failure.
func (f *Follower) follow(ctx context.Context) {
	var from federation.EntityID
	since := ""
	pause := f.cfg.RetryAfter
	for failures := 0; ctx.Err() == nil; {
		sources := f.cfg.Sources()
		if len(sources) > 0 {
			if next := sources[failures%len(sources)]; next != from {
				from, since = next, ""
			}
			got, err := f.ask(ctx, from, since)
			if err == nil {
				failures, pause, since = 0, f.cfg.RetryAfter, got.Since
				f.take(from, got)
				// Stay with this source even if it is not the first one.
				for i, s := range sources {
					if s == from {
						failures = i
					}
				}
				continue
			}
			f.core.log.Warn("source of announcements failed", "peer", string(from), "err", withoutAddresses(err.Error()))
			failures++
			since = ""
			if failures%len(sources) != 0 {
				continue // the next one at once
			}
		}
		f.allDown()
		timer := time.NewTimer(pause - pause/4 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		pause = min(2*pause, time.Minute)
	}
}

// ask makes one long poll.
func (f *Follower) ask(ctx context.Context, source federation.EntityID, since string) (followAnswer, error) {
	var got followAnswer
	ctx, cancel := context.WithTimeout(ctx, followWait+10*time.Second)
	defer cancel()
	u := source.URL(FollowPath)
	if since != "" {
		u += "?since=" + url.QueryEscape(since)
	}
	b, err := f.do(ctx, http.MethodGet, u, nil, http.StatusOK)
	if err != nil {
		return got, err
	}
	if err := json.Unmarshal(b, &got); err != nil || got.Since == "" || len(got.Since) > 100 {
		return got, fmt.Errorf("%w: answer of %d bytes", errWire, len(b))
	}
	return got, nil
}

func (f *Follower) do(ctx context.Context, method, u string, body []byte, want int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := f.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxFollowBody+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxFollowBody:
		return nil, fmt.Errorf("%w: answer of more than %d bytes", errWire, maxFollowBody)
	case res.StatusCode != want:
		return nil, fmt.Errorf("%w: status %d", errWire, res.StatusCode)
	}
	return b, nil
}

// take puts an answer where gossip would have put it. A source is believed no
// more than gossip: signatures are checked, and who is up is only a hint.
func (f *Follower) take(source federation.EntityID, got followAnswer) {
	d := f.core
	for _, b := range got.Announcements {
		if a, err := federation.DecodeAnnouncement(b); err == nil && a.Member != f.cfg.Self {
			d.inbox.message(announcementMessage(a))
		}
	}
	for _, n := range got.Notices {
		if len(n.Text) > 0 && len(n.Text) <= maxNotice && n.Until.Unix() > 0 {
			d.inbox.message(noticeMessage(n.Text, n.Until))
		}
	}
	up := make(map[federation.EntityID]bool)
	for _, id := range append(got.Up, source) {
		up[id] = true
	}
	if got.All {
		for _, p := range d.known() {
			if !up[p.id] {
				f.mark(p.id, StateDead)
			}
		}
	}
	for id := range up {
		f.mark(id, StateAlive)
	}
	for _, id := range got.Down {
		f.mark(id, StateDead)
	}
}

// mark notes what the source says of an entity.
func (f *Follower) mark(id federation.EntityID, s State) {
	if _, err := parseEntity(string(id)); err != nil || id == f.cfg.Self {
		return
	}
	d := f.core
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.peers[string(id)]
	if p == nil {
		if s != StateAlive {
			return
		}
		d.makeRoom()
		p = &peer{id: id}
		d.peers[string(id)] = p
	}
	if p.state == s {
		return
	}
	if s == StateAlive {
		d.alive.Add(1)
	} else if p.state == StateAlive {
		d.alive.Add(-1)
	}
	p.state, p.since = s, d.now()
	d.inbox.node(string(id))
}

// allDown notes that no source answers: then nobody is known to be up.
func (f *Follower) allDown() {
	for _, p := range f.core.known() {
		f.mark(p.id, StateDead)
	}
}

// tell hands own announcements to the first source that takes them, and
// repeats the last one, since that source may have been restarted.
func (f *Follower) tell(ctx context.Context) {
	again := time.NewTimer(f.cfg.Repeat)
	defer again.Stop()
	for {
		select {
		case <-f.core.changed:
		case <-again.C:
		case <-ctx.Done():
			return
		}
		pause := f.cfg.Repeat
		if !f.hand(ctx) {
			pause = min(pause, f.cfg.RetryAfter)
		}
		again.Reset(pause)
	}
}

// hand reports whether there was nothing to tell or a source has taken it.
func (f *Follower) hand(ctx context.Context) bool {
	f.core.mu.Lock()
	a := f.core.meta.Announcement
	f.core.mu.Unlock()
	if a.Serial == 0 {
		return true
	}
	for _, s := range f.cfg.Sources() {
		inner, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, err := f.do(inner, http.MethodPost, s.URL(FollowPath), a.Encode(), http.StatusAccepted)
		cancel()
		if err == nil {
			return true
		}
		f.core.log.Debug("announcement not taken", "peer", string(s), "err", withoutAddresses(err.Error()))
	}
	return false
}

// Announce is that of Discovery.
func (f *Follower) Announce(a federation.Announcement) { f.core.Announce(a) }

// Announcements is that of Discovery.
func (f *Follower) Announcements() []federation.Announcement { return f.core.Announcements() }

// Peers lists entities, not nodes: names and gossip addresses are empty.
func (f *Follower) Peers() []Peer { return f.core.Peers() }

// Reachable is that of Discovery, as the source sees it.
func (f *Follower) Reachable(id federation.EntityID) bool { return f.core.Reachable(id) }

// Stats is that of Discovery.
func (f *Follower) Stats() Stats { return f.core.Stats() }

// FollowHandler is that of Discovery.
func (f *Follower) FollowHandler() http.Handler { return f.core.FollowHandler() }

// ReleaseFollowers is that of Discovery.
func (f *Follower) ReleaseFollowers() { f.core.ReleaseFollowers() }

// Recheck has nothing to do: a follower joins no nodes.
func (f *Follower) Recheck(func(federation.EntityID) bool) {}

// SetKeys has nothing to do: a follower has no gossip keys.
func (f *Follower) SetKeys([][]byte) error { return nil }

// Notify returns ErrFollower: notices are spread by hubs, which gossip.
func (f *Follower) Notify(string) error { return ErrFollower }
