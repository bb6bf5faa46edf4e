//go:build peers

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"rathausnetz/federation/directory/directorytest"
)

// redisKeeper keeps a hash for each key with a field for each area: one HMGET
// walks up.
type redisKeeper struct {
	dir    string
	pid    int
	stop   func()
	client *redis.Client
}

func newRedis(dir string) *redisKeeper { return &redisKeeper{dir: dir} }

func (r *redisKeeper) start(ctx context.Context) error {
	socket := filepath.Join(r.dir, "redis.sock")
	var err error
	r.pid, r.stop, err = daemon("redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir", r.dir)
	if err != nil {
		return err
	}
	r.client = redis.NewClient(&redis.Options{Network: "unix", Addr: socket, ReadTimeout: time.Minute, WriteTimeout: time.Minute})
	return await(ctx, func() error { return r.client.Ping(ctx).Err() })
}

func (r *redisKeeper) load(ctx context.Context, claims []claim) (time.Duration, error) {
	if err := r.start(ctx); err != nil {
		return 0, err
	}
	start := time.Now()
	const chunk, flush = 256, 200
	pipe := r.client.Pipeline()
	values := make([]any, 0, 2*chunk)
	for i := range claims {
		c := &claims[i]
		values = append(values, strconv.FormatInt(c.area, 10), strconv.Itoa(int(c.member))+":"+strconv.Itoa(int(c.offer)))
		last := i+1 == len(claims) || claims[i+1].leika != c.leika
		if last || len(values) == 2*chunk {
			pipe.HSet(ctx, redisKey(c.leika), values...)
			values = make([]any, 0, 2*chunk)
		}
		if pipe.Len() >= flush || i+1 == len(claims) {
			if _, err := pipe.Exec(ctx); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(start), nil
}

func redisKey(leika int64) string { return "l:" + strconv.FormatInt(leika, 10) }

func (r *redisKeeper) ask(ctx context.Context, questions []directorytest.Question, out []int32) ([]int32, error) {
	pipe := r.client.Pipeline()
	for _, q := range questions {
		var fields [6]string
		for i, l := range levels(q.Place) {
			fields[i] = strconv.FormatInt(l, 10)
		}
		pipe.HMGet(ctx, redisKey(key(q.Leika)), fields[:]...)
	}
	cmds, err := pipe.Exec(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range cmds {
		out = append(out, firstMember(c.(*redis.SliceCmd).Val()))
	}
	return out, nil
}

// firstMember reads the narrowest area's value, "member:offer".
func firstMember(values []any) int32 {
	for _, v := range values {
		s, ok := v.(string)
		if !ok {
			continue
		}
		member := int32(0)
		for i := 0; i < len(s) && s[i] != ':'; i++ {
			member = member*10 + int32(s[i]-'0')
		}
		return member
	}
	return -1
}

func (r *redisKeeper) bytes(ctx context.Context) int64 {
	info, err := r.client.InfoMap(ctx, "memory").Result()
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(info["Memory"]["used_memory"], 10, 64)
	return n
}

func (r *redisKeeper) processes() []int { return []int{r.pid} }

func (r *redisKeeper) close() {
	if r.client != nil {
		_ = r.client.Close()
	}
	if r.stop != nil {
		r.stop()
		_ = os.Remove(filepath.Join(r.dir, "redis.sock"))
	}
}

// await repeats f until it works, for half a minute at most.
func await(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
