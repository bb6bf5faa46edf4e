package op_test

import (
	"path/filepath"
	"testing"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
)

func openBolt(t testing.TB) store.Store {
	t.Helper()
	b, err := store.OpenBolt(filepath.Join(t.TempDir(), "store.db"), nil)
	must(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func openRedis(t testing.TB) store.Store {
	t.Helper()
	return openRedisAt(t, storetest.StartRedis(t).Addr)
}

func openRedisAt(t testing.TB, addr string) store.Store {
	t.Helper()
	r, err := store.OpenRedis(t.Context(), store.RedisConfig{Addrs: []string{addr}, Prefix: "rn:"})
	must(t, err)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
