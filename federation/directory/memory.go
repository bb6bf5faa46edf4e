package directory

import "sync"

// memory keeps what words of queries have met in one state of the texts: most
// people ask with the same few hundred words. It is only a shortcut; when it is
// full it starts anew.
type memory struct {
	mu    sync.RWMutex
	parts map[string]part // by stem, guarded by mu; what they refer to is never changed
}

// maxMemory bounds what one memory holds, in bytes.
const maxMemory = 4 << 20

// get returns what is remembered of a stem.
func (m *memory) get(stem string) (part, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, ok := m.parts[stem]
	return p, ok
}

// put remembers a part that met something and marks it as shared.
func (m *memory) put(p *part) {
	size := len(p.met) + 8*len(p.docs) + len(p.stem) + 128
	m.mu.Lock()
	defer m.mu.Unlock()
	if (len(m.parts)+1)*size > maxMemory { // all have about the same size
		clear(m.parts)
	}
	if size > maxMemory {
		return
	}
	if m.parts == nil {
		m.parts = map[string]part{}
	}
	p.shared = true
	m.parts[p.stem] = *p
}
