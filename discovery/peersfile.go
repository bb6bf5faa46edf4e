package discovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"rathausnetz/federation"
)

// maxPeersFile is the largest peers file read, in bytes.
const maxPeersFile = 4 << 20

// peersFile is what survives a restart: where nodes were last seen. It is
// only a list of places to ask; nothing in it is believed.
type peersFile struct {
	Version int         `json:"version"`
	Peers   []savedPeer `json:"peers"`
}

type savedPeer struct {
	Entity federation.EntityID `json:"entity"`
	Name   string              `json:"name"` // gossip name
	Addr   netip.AddrPort      `json:"addr"`
	Seen   time.Time           `json:"seen"`
}

// loadPeers fills the table from the peers file. A missing file is normal.
func (d *Discovery) loadPeers() error {
	if d.cfg.PeersFile == "" {
		return nil
	}
	info, err := os.Stat(d.cfg.PeersFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read peers file: %w", err)
	}
	if info.Size() > maxPeersFile {
		return fmt.Errorf("peers file %s: %d bytes, at most %d are read; remove it", d.cfg.PeersFile, info.Size(), maxPeersFile)
	}
	b, err := os.ReadFile(d.cfg.PeersFile)
	if err != nil {
		return fmt.Errorf("read peers file: %w", err)
	}
	var f peersFile
	if err := json.Unmarshal(b, &f); err != nil || f.Version != 1 {
		return fmt.Errorf("peers file %s is not readable; remove it: %w", d.cfg.PeersFile, errors.Join(err, errWire))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range f.Peers {
		g, err := parseGossipName(s.Name)
		id, idErr := parseEntity(string(s.Entity))
		if err != nil || idErr != nil || !s.Addr.IsValid() || len(d.peers) >= maxPeers || d.peers[s.Name] != nil {
			continue
		}
		d.peers[s.Name] = &peer{gossipName: g, id: id, addr: s.Addr, since: s.Seen}
	}
	return nil
}

// savePeers writes the table if it has changed since the last call; only Run
// calls it.
func (d *Discovery) savePeers(last *string) error {
	if d.cfg.PeersFile == "" {
		return nil
	}
	f := peersFile{Version: 1, Peers: []savedPeer{}}
	var said strings.Builder
	for _, p := range d.known() {
		f.Peers = append(f.Peers, savedPeer{Entity: p.id, Name: p.gossipName.String(), Addr: p.addr, Seen: p.since})
		fmt.Fprintln(&said, p.gossipName, p.addr)
	}
	if said.String() == *last {
		return nil
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("write peers file: %w", err)
	}
	if err := renameio.WriteFile(d.cfg.PeersFile, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write peers file: %w", err)
	}
	*last = said.String()
	return nil
}
