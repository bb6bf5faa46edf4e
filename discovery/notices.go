package discovery

import (
	"fmt"
	"time"

	"rathausnetz/federation"
)

// notice is an opaque signed text that is repeated until it expires.
type notice struct {
	text    string
	until   time.Time
	changed uint64 // value of Discovery.seq when it came
}

// refusedFor is how long a refused notice is not looked at again: its issuer
// may only not be known yet.
const refusedFor = 30 * time.Second

// Notify spreads a notice: sent to every node alive over TCP, gossiped, and
// repeated in each push/pull until Config.NoticeTTL has passed. Errors wrap
// ErrNotice.
func (d *Discovery) Notify(text string) error {
	if len(text) == 0 || len(text) > maxNotice {
		return fmt.Errorf("%w: %d bytes, 1 to %d are allowed", ErrNotice, len(text), maxNotice)
	}
	until := d.now().Add(d.cfg.NoticeTTL)
	d.keepNotice(text, until)
	message := noticeMessage(text, until)
	d.broadcast("n"+federation.Sum([]byte(text)).Short(), message)
	select {
	case d.outgoing <- message:
	default: // many at once: gossip and push/pull carry them all the same
	}
	return nil
}

// handleNotice looks at a notice from the network; only Run calls it.
func (d *Discovery) handleNotice(text string, until time.Time) {
	now := d.now()
	if latest := now.Add(d.cfg.NoticeTTL); until.After(latest) {
		until = latest
	}
	key := federation.Sum([]byte(text))
	d.mu.Lock()
	_, known := d.notices[key]
	refused := now.Before(d.refused[key])
	d.mu.Unlock()
	if known || refused || !now.Before(until) || !d.affordable() {
		return
	}
	if d.cfg.OnNotice != nil {
		if err := d.cfg.OnNotice(text); err != nil {
			d.mu.Lock()
			if len(d.refused) >= maxInbox {
				clear(d.refused)
			}
			d.refused[key] = now.Add(refusedFor)
			d.mu.Unlock()
			d.refuse("notice refused", err)
			return
		}
	}
	d.keepNotice(text, until)
	d.broadcast("n"+key.Short(), noticeMessage(text, until))
}

func (d *Discovery) keepNotice(text string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.notices) >= maxNotices {
		d.expireNotices()
	}
	if len(d.notices) >= maxNotices {
		var first federation.Digest
		for k, n := range d.notices {
			if f := d.notices[first]; f == nil || n.until.Before(f.until) {
				first = k
			}
		}
		delete(d.notices, first)
	}
	d.notices[federation.Sum([]byte(text))] = &notice{text: text, until: until, changed: d.bump()}
}

// expireNotices is called with mu held.
func (d *Discovery) expireNotices() {
	for k, n := range d.notices {
		if !d.now().Before(n.until) {
			delete(d.notices, k)
		}
	}
}

// localState is what a push/pull tells beside memberlist's own table: the
// notices, and the announcements of members no node of which is alive, since
// those of the others are in the metadata anyway.
func (d *Discovery) localState() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expireNotices()
	var b []byte
	for _, n := range d.notices {
		b = appendState(b, noticeMessage(n.text, n.until))
	}
	told := map[federation.EntityID]uint64{d.cfg.Self: d.meta.Announcement.Serial}
	for _, p := range d.peers {
		if p.up() {
			told[p.id] = max(told[p.id], p.announcement.Serial)
		}
	}
	for id, m := range d.members {
		if m.newest.Serial > told[id] && len(b) < maxState/2 {
			b = appendState(b, announcementMessage(m.newest))
		}
	}
	return b
}
