package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
)

// Paths below the entity ID of a hub.
const (
	PathList   = "/federation/neighbours"       // the sealed list, for the hub's own members
	PathAnswer = "/federation/answer"           // about a place of its own, sealed by the hub
	PathRelay  = "/federation/neighbour-answer" // a neighbour's answer, passed on unchanged
)

// errNotFound is a 404: from the own hub, it says that there is no such
// neighbour; from the neighbour, that it does not answer for the place.
var errNotFound = errors.New("relay: not found")

// ageHeader of an answer that is passed on says that its neighbour does not
// answer now, before the seal itself is past its time.
const (
	ageHeader = "Neighbour-Answer"
	ageOld    = "old"
)

const (
	askTimeout   = 4 * time.Second // for one source
	shortTimeout = time.Second     // for one that gossip says is down
	justNow      = 5 * time.Second
	restAfter    = 5 * time.Second // a neighbour that has failed is left alone for so long
)

// ClientConfig is what NewClient needs.
type ClientConfig struct {
	Self federation.EntityID
	HTTP *http.Client           // guarded; without retries, because a page is waiting
	List func() *neighbour.List // of the own hub, verified; nil if there is none
	// Through is the own hub, which passes answers on; "" for a hub, which
	// asks its neighbours itself.
	Through func() federation.EntityID
	Kept    *Kept // answers held on disk; hubs only
	// Heard is what gossip tells of a neighbour; nil: nothing.
	Heard func(federation.EntityID) News

	AllowLoopback bool
	Now           func() time.Time
	Log           *slog.Logger
}

// News is what gossip tells of a neighbour. It is a hint: it decides whether a
// held answer may be used without asking, and how long to wait for a new one.
type News struct {
	State  State
	Serial uint64 // of what the neighbour knows, 0 if it has announced nothing
}

// State says whether a neighbour is there.
type State uint8

// The states of a neighbour in gossip.
const (
	Unheard State = iota
	Up
	Down
)

// Client asks neighbours. It is safe for concurrent use.
type Client struct {
	cfg     ClientConfig
	http    *http.Client
	flights singleflight.Group

	mu      sync.Mutex
	rests   map[federation.EntityID]time.Time // until when a neighbour is left alone; guarded by mu
	stats   Stats                             // guarded by mu
	seen    *neighbour.List                   // by Version; guarded by mu
	version uint64                            // guarded by mu
}

// Stats counts what a client has done since its start.
type Stats struct {
	Asked   uint64 // questions sent to a neighbour or a hub
	Held    uint64 // questions answered from what is kept
	Silent  uint64 // questions to which nobody answered
	Refused uint64 // answers that did not verify
}

// NewClient checks cfg; it does no I/O.
func NewClient(cfg ClientConfig) (*Client, error) {
	if cfg.Self == "" || cfg.HTTP == nil || cfg.List == nil || cfg.Through == nil {
		return nil, fmt.Errorf("%w: Self, HTTP, List and Through are needed", neighbour.ErrConfig)
	}
	if cfg.Heard == nil {
		cfg.Heard = func(federation.EntityID) News { return News{} }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	plain := *cfg.HTTP
	plain.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{cfg: cfg, http: &plain, rests: map[federation.EntityID]time.Time{}}, nil
}

// Of returns the neighbour that a place belongs to.
func (c *Client) Of(place region.Area) (neighbour.Neighbour, bool) { return c.cfg.List().Of(place) }

// Version grows with every other list: Of may answer otherwise from then on.
func (c *Client) Version() uint64 {
	list := c.cfg.List()
	c.mu.Lock()
	defer c.mu.Unlock()
	if list != c.seen {
		c.seen = list
		c.version++
	}
	return c.version
}

// Stats returns the counters.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Ask returns the verified answer of the neighbour that q's place belongs to:
// a fresh one where that can be had, else an old one, labelled. Errors wrap
// neighbour.ErrNobody, neighbour.ErrSilent, ErrAsked, or what was wrong with the only answer.
func (c *Client) Ask(ctx context.Context, q neighbour.Question) (*neighbour.Answer, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	n, ok := c.Of(q.Place)
	if !ok {
		return nil, fmt.Errorf("%s: %w", q.Place, neighbour.ErrNobody)
	}
	now := c.cfg.Now()
	held := c.held(q, n, now)
	if held != nil && c.good(held, now) {
		c.count(func(s *Stats) { s.Held++ })
		return held, nil
	}
	a, err := c.fetch(ctx, q, n)
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, neighbour.ErrNobody):
		return nil, err
	case held != nil:
		held.Age()
		c.count(func(s *Stats) { s.Held++ })
		return held, nil
	}
	c.count(func(s *Stats) { s.Silent++ })
	return nil, err
}

func (c *Client) count(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.stats)
}

// good reports whether a held answer may be used without asking: nothing new
// was announced since, or it is only seconds old. One that is said to be down
// is asked all the same: gossip may be wrong.
func (c *Client) good(held *neighbour.Answer, now time.Time) bool {
	news := c.cfg.Heard(held.By.ID)
	switch {
	case held.Old || news.State == Down || news.Serial > held.Serial:
		return false
	}
	return news.State == Up || now.Sub(held.At) < justNow
}

// held is the answer on disk, nil if there is none that may still be shown.
func (c *Client) held(q neighbour.Question, n neighbour.Neighbour, now time.Time) *neighbour.Answer {
	if c.cfg.Kept == nil {
		return nil
	}
	compact, err := c.cfg.Kept.get(q.Digest(n.ID))
	if err != nil {
		c.cfg.Log.Error("answer of a neighbour not readable", "peer", n.ID, "err", err)
	}
	if compact == "" {
		return nil
	}
	a, err := neighbour.Open(compact, q, n, c.cfg.AllowLoopback, now)
	if err != nil {
		c.cfg.Log.Debug("held answer not usable", "peer", n.ID, "err", err)
		return nil
	}
	return a
}

// fetch asks the sources in turn. Those who ask the same at the same time share
// one request; each gets a value of its own.
func (c *Client) fetch(ctx context.Context, q neighbour.Question, n neighbour.Neighbour) (*neighbour.Answer, error) {
	if c.resting(n.ID) {
		return nil, fmt.Errorf("%s: %w", n.ID, neighbour.ErrSilent)
	}
	v, err, _ := c.flights.Do(q.Digest(n.ID).String(), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*askTimeout)
		defer cancel()
		return c.askAll(ctx, q, n)
	})
	if err != nil {
		return nil, err
	}
	got := v.(*neighbour.Answer)
	a, err := neighbour.Open(got.Compact, q, n, c.cfg.AllowLoopback, c.cfg.Now())
	if err == nil && got.Old {
		a.Age()
	}
	return a, err
}

// askAll returns the first good answer of a source.
func (c *Client) askAll(ctx context.Context, q neighbour.Question, n neighbour.Neighbour) (*neighbour.Answer, error) {
	sources := []string{n.ID.URL(PathAnswer)}
	through := c.cfg.Through()
	if through != "" {
		sources = []string{through.URL(PathRelay), n.ID.URL(PathAnswer)}
	}
	errs := []error{fmt.Errorf("%s: %w", n.ID, neighbour.ErrSilent)}
	for i, source := range sources {
		limit := askTimeout
		if c.cfg.Heard(n.ID).State == Down {
			limit = shortTimeout
		}
		a, err := c.get(ctx, source+"?"+q.Values().Encode(), q, n, limit)
		if err == nil {
			c.keep(q, a)
			return a, nil
		}
		if errors.Is(err, errNotFound) && through != "" && i == 0 {
			return nil, fmt.Errorf("%s: %w: %s does not vouch for it any more", n.ID, neighbour.ErrNobody, through)
		}
		c.cfg.Log.Warn("neighbour not heard", "peer", n.ID, "url", source, "err", err)
		errs = append(errs, err)
	}
	c.rest(n.ID)
	return nil, errors.Join(errs...)
}

// get makes one request and verifies what comes.
func (c *Client) get(ctx context.Context, address string, q neighbour.Question, n neighbour.Neighbour, limit time.Duration) (*neighbour.Answer, error) {
	c.count(func(s *Stats) { s.Asked++ })
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/"+neighbour.TypeAnswer)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, neighbour.MaxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case res.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", n.ID, errNotFound)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s: %w: status %d", n.ID, neighbour.ErrSilent, res.StatusCode)
	}
	a, err := neighbour.Open(string(b), q, n, c.cfg.AllowLoopback, c.cfg.Now())
	if err != nil {
		c.count(func(s *Stats) { s.Refused++ })
		return nil, err
	}
	if res.Header.Get(ageHeader) == ageOld {
		a.Age() // who passes it on can only make it older
	}
	return a, nil
}

// keep holds an answer for the time when its neighbour is away.
func (c *Client) keep(q neighbour.Question, a *neighbour.Answer) {
	if c.cfg.Kept == nil || a.Old {
		return
	}
	if err := c.cfg.Kept.put(q.Digest(a.By.ID), a.Compact, c.cfg.Now()); err != nil {
		c.cfg.Log.Error("answer of a neighbour not kept", "peer", a.By.ID, "err", err)
	}
}

// resting reports whether a neighbour has failed a moment ago.
func (c *Client) resting(id federation.EntityID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.Now().Before(c.rests[id])
}

func (c *Client) rest(id federation.EntityID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rests) >= neighbour.MaxNeighbours {
		clear(c.rests)
	}
	c.rests[id] = c.cfg.Now().Add(restAfter)
}

// Awake ends the rest of a neighbour that gossip has heard of again.
func (c *Client) Awake(id federation.EntityID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.rests, id)
}
