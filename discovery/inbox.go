package discovery

import "sync"

// inbox is where callbacks leave what Run is to look at. Broadcasts go through
// a ring that drops its oldest entry when full; what concerns a node is kept
// once per node, newest only, so that a flood of broadcasts displaces nothing
// that nodes say of themselves.
type inbox struct {
	wake chan struct{} // capacity 1

	mu       sync.Mutex
	messages [][]byte            // guarded by mu; a ring of at most max
	first    int                 // index of the oldest message
	dropped  uint64              // guarded by mu
	nodes    map[string]struct{} // gossip names to look at; guarded by mu
	max      int
}

func newInbox(max int) *inbox {
	return &inbox{wake: make(chan struct{}, 1), nodes: make(map[string]struct{}), max: max}
}

// message keeps a copy of b.
func (q *inbox) message(b []byte) {
	if len(b) == 0 || len(b) > maxMessage {
		return
	}
	c := append([]byte(nil), b...)
	q.mu.Lock()
	if len(q.messages) < q.max {
		q.messages = append(q.messages, c)
	} else {
		q.messages[q.first] = c
		q.first = (q.first + 1) % q.max
		q.dropped++
	}
	q.mu.Unlock()
	q.signal()
}

// node notes that something about this node has changed.
func (q *inbox) node(name string) {
	q.mu.Lock()
	q.nodes[name] = struct{}{}
	q.mu.Unlock()
	q.signal()
}

func (q *inbox) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox: messages from old to new, names in no order.
func (q *inbox) take() (messages [][]byte, nodes []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	messages = append(messages, q.messages[q.first:]...)
	messages = append(messages, q.messages[:q.first]...)
	q.messages, q.first = nil, 0
	for n := range q.nodes {
		nodes = append(nodes, n)
	}
	clear(q.nodes)
	return messages, nodes
}

func (q *inbox) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
