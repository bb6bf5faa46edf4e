package portal

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strings"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// ErrKeys means that "rathausnetz init" has not run here.
var ErrKeys = errors.New("portal: the node has no keys")

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

func (n *Node) openStore() error {
	switch r := n.cfg.Store.Redis; {
	case n.opt.Store != nil:
		n.kept = n.opt.Store
	case len(r.Addrs) > 0:
		cfg := store.RedisConfig{Addrs: r.Addrs, Master: r.Master, Username: r.Username, Cluster: r.Cluster, Replicas: r.Replicas}
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
		n.kept = st
	default:
		st, err := store.OpenBolt(n.path("store.db"), n.now)
		if err != nil {
			return err
		}
		n.kept = st
	}
	n.store = n.metrics.Store(n.kept)
	return nil
}

// sweeper is a store that has to be told to forget what has expired; Redis
// does it by itself.
type sweeper interface {
	Run(ctx context.Context) error
}

func (n *Node) sweep(ctx context.Context) error {
	if s, ok := n.kept.(sweeper); ok {
		return s.Run(ctx)
	}
	return nil
}
