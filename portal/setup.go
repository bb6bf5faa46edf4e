package portal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
)

// Faults of a node's surroundings; each sentence names the remedy.
var (
	ErrPort = errors.New("portal: the address cannot be listened on")
	ErrKeys = errors.New("portal: the node has no keys")
)

func (n *Node) openKeys() error {
	n.keys = n.opt.Keys
	if n.keys != nil {
		return nil
	}
	keys, err := trust.LoadKeys(n.path("keys"))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w in %s; make them with: rathausnetz init", ErrKeys, n.path("keys"))
	}
	n.keys = keys
	return err
}

func (n *Node) openListeners() error {
	if n.opt.Control {
		ln, err := (&control.Server{Dir: n.cfg.Data}).Listen()
		if err != nil {
			return err
		}
		n.ctl = ln
	}
	n.ln = n.opt.Listener
	if n.ln != nil {
		return nil
	}
	ln, err := net.Listen("tcp", n.cfg.Listen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: %s is in use by another program; stop it or choose another port for listen", ErrPort, n.cfg.Listen)
	case err != nil:
		return fmt.Errorf("%w: %s: %w", ErrPort, n.cfg.Listen, err)
	}
	n.ln = ln
	return nil
}

func (n *Node) openStore() error {
	switch r := n.cfg.Store.Redis; {
	case n.opt.Store != nil:
		n.store = n.opt.Store
	case len(r.Addrs) > 0:
		cfg := store.RedisConfig{Addrs: r.Addrs, Master: r.Master, Username: r.Username, Cluster: r.Cluster}
		if r.TLS {
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.opt.Roots}
		}
		if r.PasswordFile != "" {
			b, err := os.ReadFile(r.PasswordFile)
			if err != nil {
				return fmt.Errorf("store.redis.password_file: %w", err)
			}
			cfg.Password = strings.TrimSpace(string(b))
		}
		cfg.Prefix = "rn:" + n.cfg.Entity.Host() + ":"
		st, err := store.OpenRedis(context.Background(), cfg)
		if err != nil {
			return err // without st: a nil *Redis in the interface is no nil
		}
		n.store = st
	default:
		st, err := store.OpenBolt(n.path("store.db"), n.now)
		if err != nil {
			return err
		}
		n.store = st
	}
	return nil
}

// sweeper is a store that has to be told to forget what has expired; Redis
// does it by itself.
type sweeper interface {
	Run(ctx context.Context) error
}

func (n *Node) sweep(ctx context.Context) error {
	if s, ok := n.store.(sweeper); ok {
		return s.Run(ctx)
	}
	return nil
}
