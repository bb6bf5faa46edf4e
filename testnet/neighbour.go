package testnet

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/portal"
	"rathausnetz/testnet/data"
)

// besideName is the hub of the Landkreis beside the demonstration's.
const besideName = "vechta"

// besideBodies is the demonstration and the Landkreis next to it: two trust
// anchors that no Land stands above, so that their operators vouch for each
// other.
func besideBodies() ([]body, error) {
	out, err := demoBodies()
	if err != nil {
		return nil, err
	}
	for _, name := range data.Beside {
		sub, err := fs.Sub(data.FS, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSpec, name, err)
		}
		b, err := readBody(name, sub)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrSpec, name, err)
		}
		if name == besideName {
			b.kind, b.area, b.leads, b.utility = federation.KindLandkreis, b.portal.Network.Area, true, false
		} else {
			b.below = besideName
		}
		out = append(out, b)
	}
	return out, nil
}

// pools reports whether the hubs of this network know each other.
func (s Spec) pools() bool { return s.Neighbour || s.Anchors }

// poolConfig is a hub's part among the hubs. Below a Land it needs nothing but
// an address; else it names the other hubs and the key file that they share.
func (m *Member) poolConfig() config.Pool {
	p := config.Pool{Bind: net.JoinHostPort("127.0.0.1", strconv.Itoa(m.pool))}
	p.Advertise = p.Bind
	if m.above != nil {
		return p
	}
	p.KeyFile = m.net.poolKeyFile()
	for _, o := range m.net.Members() {
		if o != m && o.leads() && o.above == nil {
			p.Neighbours = append(p.Neighbours, config.Neighbour{Entity: o.Entity, Fingerprint: o.print, Area: o.Area})
		}
	}
	return p
}

func (nw *Network) poolKeyFile() string { return filepath.Join(nw.dir, "pool.key") }

// acquaint makes what the operators of two hubs give each other by hand: the
// shared key, and the fingerprints.
func (nw *Network) acquaint() error {
	if !nw.spec.pools() {
		return nil
	}
	if err := os.MkdirAll(nw.dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(nw.poolKeyFile()); errors.Is(err, fs.ErrNotExist) {
		if err := portal.WritePoolKey(nw.poolKeyFile()); err != nil {
			return err
		}
	}
	for _, m := range nw.Members() {
		if !m.leads() {
			continue
		}
		if err := nw.prepare(m); err != nil {
			return err
		}
		keys, err := trust.LoadKeys(m.dir("data", "keys"))
		if err != nil {
			return err
		}
		if m.print, err = portal.Fingerprint(keys); err != nil {
			return err
		}
	}
	return nil
}
