package discovery

import (
	"github.com/hashicorp/memberlist"
)

// broadcast is one queued message; a newer one of the same name replaces it.
type broadcast struct {
	name    string
	message []byte
}

var _ memberlist.NamedBroadcast = (*broadcast)(nil)

func (b *broadcast) Invalidates(o memberlist.Broadcast) bool {
	other, ok := o.(*broadcast)
	return ok && other.name == b.name
}
func (b *broadcast) Name() string    { return b.name }
func (b *broadcast) Message() []byte { return b.message }
func (b *broadcast) Finished()       {}

// maxQueued bounds the broadcasts waiting to be sent.
const maxQueued = 512

// broadcast queues a message for gossip; never called with mu held. A Follower
// takes no part in gossip.
func (d *Discovery) broadcast(name string, message []byte) {
	if d.queue == nil {
		return
	}
	d.queue.QueueBroadcast(&broadcast{name: name, message: message})
	d.queue.Prune(maxQueued)
}
