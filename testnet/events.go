package testnet

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"rathausnetz/federation"
	"rathausnetz/portal"
)

// What happens to nodes here, beside what they see of each other.
const (
	Started portal.Happening = "started"
	Killed  portal.Happening = "killed"
	Cut     portal.Happening = "cut"    // the nodes in Detail from all others
	Healed  portal.Happening = "healed" // the cable is back
)

// Event is one line of the stream that shows what a network does.
type Event struct {
	Time   time.Time        `json:"time"`
	Node   string           `json:"node,omitempty"`
	What   portal.Happening `json:"what"`
	Peer   string           `json:"peer,omitempty"`
	Serial uint64           `json:"serial,omitempty"`
	Detail string           `json:"detail,omitempty"`
}

// WriteTo writes e as one line of text.
func (e Event) WriteTo(w io.Writer) (int64, error) {
	line := fmt.Sprintf("%s  %-22s %-9s", e.Time.Format("15:04:05.000"), e.Node, e.What)
	if e.Peer != "" {
		line += " " + e.Peer
	}
	if e.Serial > 0 {
		line += fmt.Sprintf(" serial %d", e.Serial)
	}
	if e.Detail != "" {
		line += " " + e.Detail
	}
	n, err := io.WriteString(w, line+"\n")
	return int64(n), err
}

// watchers are told every event.
type watchers struct {
	mu   sync.RWMutex
	list []*watcher // guarded by mu
}

type watcher struct{ tell func(Event) }

// Watch has tell called with every event from now on, from many goroutines;
// stop ends it. tell must return at once.
func (nw *Network) Watch(tell func(Event)) (stop func()) {
	w := &watcher{tell}
	nw.watch.mu.Lock()
	defer nw.watch.mu.Unlock()
	nw.watch.list = append(nw.watch.list, w)
	return func() {
		nw.watch.mu.Lock()
		defer nw.watch.mu.Unlock()
		nw.watch.list = slices.DeleteFunc(slices.Clone(nw.watch.list), func(x *watcher) bool { return x == w })
	}
}

// say tells everybody who watches.
func (nw *Network) say(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	nw.watch.mu.RLock()
	list := nw.watch.list
	nw.watch.mu.RUnlock()
	for _, w := range list {
		w.tell(e)
	}
}

func (nw *Network) watched() bool {
	nw.watch.mu.RLock()
	defer nw.watch.mu.RUnlock()
	return len(nw.watch.list) > 0
}

// tell passes on what a node has seen.
func (m *Member) tell(e portal.Event) {
	if !m.net.watched() {
		return
	}
	out := Event{Time: e.Time, Node: m.Name, What: e.What, Serial: e.Serial, Detail: e.Detail}
	if e.Peer != "" {
		out.Peer = m.net.nameOf(e.Peer)
	}
	m.net.say(out)
}

func (nw *Network) nameOf(id federation.EntityID) string {
	if m := nw.byEntity(id); m != nil {
		return m.Name
	}
	return string(id)
}
