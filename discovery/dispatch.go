package discovery

import (
	"time"

	"rathausnetz/federation"
)

// How many announcements one member may make, and how many signatures of
// unknown origin are checked: about 80 µs each, so at most a twentieth of a
// core.
const (
	memberBurst   = 8
	memberRate    = 1.0 // a second
	strangerBurst = 500
	strangerRate  = 500.0
	flushEvery    = 250 * time.Millisecond
	warnEvery     = time.Minute
)

// member is what is known of one entity; guarded by Discovery.mu.
type member struct {
	newest   federation.Announcement // verified and delivered
	other    federation.Digest       // of the last announcement with the serial of newest but another digest
	held     *federation.Announcement
	relay    bool // held came as a broadcast
	bucket   bucket
	capped   uint64
	warned   time.Time
	reported bool   // up, as OnReachable was last told
	changed  uint64 // value of Discovery.seq when newest or reported last changed
}

// bucket allows burst events at once and rate per second after that.
type bucket struct {
	tokens, burst, rate float64
	last                time.Time
}

func newBucket(burst, rate float64) bucket { return bucket{tokens: burst, burst: burst, rate: rate} }

func (b *bucket) take(now time.Time) bool {
	if !b.last.IsZero() && now.After(b.last) {
		b.tokens = min(b.burst, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// dispatch looks at everything the callbacks have left; only Run calls it.
func (d *Discovery) dispatch() {
	messages, nodes := d.inbox.take()
	for _, name := range nodes {
		d.handleNode(name)
	}
	for _, b := range messages {
		d.handleMessage(b)
	}
}

func (d *Discovery) handleNode(name string) {
	d.mu.Lock()
	p := d.peers[name]
	if p == nil {
		d.mu.Unlock()
		return
	}
	if p.up() {
		d.dropSuperseded(p)
	}
	id, a, up := p.id, p.announcement, p.up()
	d.mu.Unlock()
	d.report(id)
	if up && a.Serial > 0 && d.wanted(a) {
		d.verified(a, false)
	}
}

func (d *Discovery) handleMessage(b []byte) {
	switch b[0] {
	case kindAnnouncement:
		a, err := federation.DecodeAnnouncement(b[1:])
		if err != nil {
			d.refuse("announcement refused", err)
			return
		}
		if d.wanted(a) && d.affordable() {
			d.verified(a, true)
		}
	case kindNotice:
		text, until, err := decodeNotice(b[1:])
		if err != nil {
			d.refuse("notice refused", err)
			return
		}
		d.handleNotice(text, until)
	default:
		d.refuse("message refused", errWire)
	}
}

// wanted reports whether a says anything new, before its signature is checked.
func (d *Discovery) wanted(a federation.Announcement) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.members[a.Member]
	if m == nil {
		return true
	}
	if m.held != nil && a.Serial <= m.held.Serial {
		return false
	}
	if a.Serial != m.newest.Serial {
		return a.Serial > m.newest.Serial
	}
	return a.Manifest != m.newest.Manifest && a.Manifest != m.other
}

// affordable takes one check of a signature of unknown origin.
func (d *Discovery) affordable() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.strangers.take(d.now()) {
		return true
	}
	d.stats.Refused++
	return false
}

func (d *Discovery) verified(a federation.Announcement, relay bool) {
	if err := d.cfg.VerifyAnnouncement(a); err != nil {
		d.refuse("announcement refused", err)
		return
	}
	d.mu.Lock()
	m := d.memberOf(a.Member)
	now := d.now()
	if !m.bucket.take(now) {
		m.held, m.relay = &a, relay
		m.capped++
		d.stats.Capped++
		warn := now.Sub(m.warned) >= warnEvery
		if warn {
			m.warned = now
		}
		d.mu.Unlock()
		if warn {
			d.log.Warn("announcements capped", "peer", string(a.Member), "serial", a.Serial)
		}
		return
	}
	d.mu.Unlock()
	d.deliver(a, relay)
}

// memberOf returns the entry of id; called with mu held. Entries exist only
// for entities with a verified node or announcement, so their number is that
// of the members.
func (d *Discovery) memberOf(id federation.EntityID) *member {
	m := d.members[id]
	if m == nil {
		m = &member{bucket: newBucket(memberBurst, memberRate)}
		d.members[id] = m
	}
	return m
}

func (d *Discovery) deliver(a federation.Announcement, relay bool) {
	d.mu.Lock()
	m := d.memberOf(a.Member)
	switch {
	case a.Serial == m.newest.Serial:
		m.other = a.Manifest
	case a.Serial > m.newest.Serial:
		m.newest, m.other = a, federation.Digest{}
	}
	d.stats.Announcements++
	m.changed = d.bump()
	d.mu.Unlock()
	if relay {
		d.broadcast("a"+string(a.Member), announcementMessage(a))
	}
	if d.cfg.OnAnnouncement != nil {
		d.cfg.OnAnnouncement(a)
	}
}

// flush delivers what was held back and may go now.
func (d *Discovery) flush() {
	type item struct {
		a     federation.Announcement
		relay bool
	}
	var due []item
	d.mu.Lock()
	for _, m := range d.members {
		if m.held != nil && m.bucket.take(d.now()) {
			due = append(due, item{*m.held, m.relay})
			m.held = nil
		}
	}
	d.mu.Unlock()
	for _, i := range due {
		d.deliver(i.a, i.relay)
	}
}

// report tells OnReachable if id came or went.
func (d *Discovery) report(id federation.EntityID) {
	d.mu.Lock()
	up := d.up(id)
	m := d.memberOf(id)
	changed := m.reported != up
	m.reported = up
	if changed {
		m.changed = d.bump()
	}
	d.mu.Unlock()
	if !changed {
		return
	}
	d.log.Info("reachability changed", "peer", string(id), "up", up)
	if d.cfg.OnReachable != nil {
		d.cfg.OnReachable(id, up)
	}
}

func (d *Discovery) refuse(what string, err error) {
	d.mu.Lock()
	d.stats.Refused++
	d.mu.Unlock()
	d.log.Debug(what, "err", err)
}
