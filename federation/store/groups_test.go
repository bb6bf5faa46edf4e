package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
)

func TestRedisSentinel(t *testing.T) {
	s := storetest.StartSentinel(t)
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		n++
		return storetest.Subject{Store: openRedis(t, store.RedisConfig{Addrs: s.Addrs, Master: s.Name, Prefix: fmt.Sprint(n, ":"), Replicas: 1})}
	})
}

func TestRedisCluster(t *testing.T) {
	addrs := storetest.StartCluster(t)
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		n++
		return storetest.Subject{Store: openRedis(t, store.RedisConfig{Addrs: addrs, Prefix: fmt.Sprint(n, ":")})}
	})
}

// The master dies right after codes were taken. The promoted replica must not
// hold any of them: each was confirmed by it before Take returned.
func TestRedisSentinel_NothingIsTakenTwiceAcrossAFailover(t *testing.T) {
	s := storetest.StartSentinel(t)
	r := openRedis(t, store.RedisConfig{Addrs: s.Addrs, Master: s.Name, Replicas: 1})
	const codes = 200
	for i := range codes {
		if err := r.Create(t.Context(), fmt.Sprint("t/code", i), []byte("v"), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	taken := map[int]bool{}
	for i := range codes {
		if i == codes/2 {
			s.Master.Kill(t)
		}
		if _, err := r.Take(t.Context(), fmt.Sprint("t/code", i)); err == nil {
			taken[i] = true
		} else if !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("code %d: %v", i, err)
		}
		if i >= codes/2 && !taken[i] {
			break // the master is gone; each further try would only wait
		}
	}
	if len(taken) < codes/2 {
		t.Fatalf("only %d taken before the failover", len(taken))
	}
	// One replica has become the master and has none of its own: with
	// Replicas 1 it fails closed, so it is asked without.
	again := store.RedisConfig{Addrs: s.Addrs, Master: s.Name}
	var promoted *store.Redis
	storetest.Await(t, func(ctx context.Context) bool {
		p, err := store.OpenRedis(ctx, again)
		if err != nil {
			return false
		}
		if err := p.Put(ctx, "t/alive", nil, time.Minute); err != nil {
			return p.Close() != nil
		}
		promoted = p
		return true
	})
	defer promoted.Close()
	for i := range taken {
		if _, err := promoted.Take(t.Context(), fmt.Sprint("t/code", i)); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("code %d was taken twice: %v", i, err)
		}
	}
	if err := r.Create(t.Context(), "t/unconfirmed", nil, time.Minute); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("a write that no replica has confirmed: %v", err)
	}
}
