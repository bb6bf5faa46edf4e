package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisConfig says where Redis is: one address is a single server, several
// are a Cluster, and with Master they are Sentinels.
type RedisConfig struct {
	Addrs   []string // "host:port"
	Master  string   // name the Sentinels know the master by; empty = no Sentinel
	Cluster bool     // a Cluster that is reached by one address

	Username, Password                 string
	SentinelUsername, SentinelPassword string
	DB                                 int         // not with a Cluster
	TLS                                *tls.Config // nil = plain

	// Prefix comes before every key, so that several nodes can share one
	// Redis; "rn:" if empty.
	Prefix string
	// Replicas is how many replicas must have confirmed a write before it
	// counts. Failover is asynchronous: without at least one, a promoted
	// replica may still hold a code that was taken a moment before.
	Replicas int
	// Timeout bounds one operation with all its retries; 2 s if zero.
	Timeout time.Duration
}

// Redis keeps everything in a Redis that the replicas of one node share.
//
// A network error is tried again, so a lost answer can make Take report
// ErrNotFound and Create ErrExists for the caller's own success, and can make
// Update apply a change twice: it errs on the side of "used already".
type Redis struct {
	client   redis.UniversalClient
	prefix   string
	replicas int
	timeout  time.Duration
	once     sync.Once
	closeErr error
}

// replicaWait is how long one write waits for its replicas.
const replicaWait = 200 * time.Millisecond

// OpenRedis connects, and refuses a Redis that evicts keys by itself: a used
// code that was evicted could be used again. It is ErrUnavailable if nothing
// answers within the time limit.
func OpenRedis(ctx context.Context, cfg RedisConfig) (*Redis, error) {
	if len(cfg.Addrs) == 0 {
		return nil, fmt.Errorf("%w: redis without address", ErrInvalid)
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "rn:"
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	r := &Redis{
		client: redis.NewUniversalClient(&redis.UniversalOptions{
			Addrs: cfg.Addrs, MasterName: cfg.Master, IsClusterMode: cfg.Cluster, DB: cfg.DB,
			Username: cfg.Username, Password: cfg.Password,
			SentinelUsername: cfg.SentinelUsername, SentinelPassword: cfg.SentinelPassword,
			TLSConfig: cfg.TLS,
			// Short limits, so that a hung server costs a second and not ten.
			DialTimeout: 500 * time.Millisecond, ReadTimeout: 500 * time.Millisecond,
			WriteTimeout: 500 * time.Millisecond, PoolTimeout: time.Second,
			MaxRetries: 2, MinRetryBackoff: 8 * time.Millisecond, MaxRetryBackoff: 128 * time.Millisecond,
			DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true,
			// The automatic mode asks servers for a command old ones do not
			// know; it makes each new TLS connection 50 ms slower.
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		}),
		prefix: cfg.Prefix, replicas: cfg.Replicas, timeout: cfg.Timeout,
	}
	if err := r.check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("redis %s: %w", strings.Join(cfg.Addrs, ","), err), r.Close())
	}
	return r, nil
}

// check asks every master whether it may drop keys on its own.
func (r *Redis) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	return r.eachMaster(ctx, func(ctx context.Context, c redis.Cmdable) error {
		info, err := c.Info(ctx, "memory").Result()
		if err != nil {
			return unavailable("info", err)
		}
		for line := range strings.Lines(info) {
			policy, ok := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:")
			if ok && policy != "noeviction" {
				return fmt.Errorf("%w: maxmemory-policy is %s; set it to noeviction", ErrUnavailable, policy)
			}
		}
		return nil
	})
}

func (r *Redis) eachMaster(ctx context.Context, do func(context.Context, redis.Cmdable) error) error {
	cluster, ok := r.client.(*redis.ClusterClient)
	if !ok {
		return do(ctx, r.client)
	}
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return do(ctx, c) })
	if err != nil && !errors.Is(err, ErrUnavailable) {
		return unavailable("masters", err)
	}
	return err
}

// Get implements Store.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	value, err := r.client.Get(ctx, r.prefix+key).Bytes()
	return value, answer(key, err)
}

// Put implements Store.
func (r *Redis) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	return r.write(ctx, key, func(ctx context.Context, c redis.Cmdable, key string) redis.Cmder {
		return c.Set(ctx, key, value, whole(ttl))
	})
}

// Create implements Store.
func (r *Redis) Create(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkWrite(key, value, ttl); err != nil {
		return err
	}
	err := r.write(ctx, key, func(ctx context.Context, c redis.Cmdable, key string) redis.Cmder {
		return c.SetArgs(ctx, key, value, redis.SetArgs{Mode: "NX", TTL: whole(ttl)})
	})
	if isNotFound(err) { // SET NX answers nil
		return fmt.Errorf("%w: %s", ErrExists, key)
	}
	return err
}

// Take implements Store.
func (r *Redis) Take(ctx context.Context, key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	var got *redis.StringCmd
	err := r.write(ctx, key, func(ctx context.Context, c redis.Cmdable, key string) redis.Cmder {
		got = c.GetDel(ctx, key)
		return got
	})
	if err != nil {
		return nil, err
	}
	return got.Bytes()
}

// swapScript replaces or deletes the key only if it still is what was read.
// KEYS: the key. ARGV: "1" if it existed, its value, "1" to write, the new
// value, ttl in milliseconds or 0.
const swapScript = `
local have = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if have ~= ARGV[2] then return 0 end
elseif have then
  return 0
end
if ARGV[3] ~= '1' then
  redis.call('DEL', KEYS[1])
elseif ARGV[5] == '0' then
  redis.call('SET', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
return 1`

// Update implements Store.
func (r *Redis) Update(ctx context.Context, key string, change func([]byte) ([]byte, time.Duration, error)) error {
	for range maxTries {
		old, err := r.Get(ctx, key)
		if err != nil && !isNotFound(err) {
			return err
		}
		value, ttl, err := change(slices.Clone(old))
		if err != nil {
			return err
		}
		if err := checkWrite(key, value, ttl); err != nil {
			return err
		}
		var swapped *redis.Cmd
		err = r.write(ctx, key, func(ctx context.Context, c redis.Cmdable, key string) redis.Cmder {
			swapped = c.Eval(ctx, swapScript, []string{key},
				flag(old != nil), old, flag(value != nil), value, whole(ttl).Milliseconds())
			return swapped
		})
		if err != nil {
			return err
		}
		if n, err := swapped.Int(); err != nil || n == 1 {
			return answer(key, err)
		}
	}
	return fmt.Errorf("%w: %s changed %d times meanwhile", ErrUnavailable, key, maxTries)
}

// Delete implements Store.
func (r *Redis) Delete(ctx context.Context, key string) error {
	return r.write(ctx, key, func(ctx context.Context, c redis.Cmdable, key string) redis.Cmder {
		return c.Del(ctx, key)
	})
}

// Scan implements Store. It reads the names first, of all masters, and then
// the values in steps.
func (r *Redis) Scan(ctx context.Context, prefix string, each func(string, []byte) bool) error {
	keys, err := r.names(ctx, prefix)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(keys, scanStep) {
		values, err := r.values(ctx, part)
		if err != nil {
			return err
		}
		for i, key := range part {
			if values[i] == nil {
				continue // expired or removed since
			}
			if !each(strings.TrimPrefix(key, r.prefix), values[i]) {
				return nil
			}
		}
	}
	return nil
}

func (r *Redis) names(ctx context.Context, prefix string) ([]string, error) {
	var mu sync.Mutex // ForEachMaster runs concurrently
	var keys []string
	pattern := globEscape(r.prefix+prefix) + "*"
	err := r.eachMaster(ctx, func(ctx context.Context, c redis.Cmdable) error {
		for cursor := uint64(0); ; {
			step, cancel := context.WithTimeout(ctx, r.timeout)
			page, next, err := c.Scan(step, cursor, pattern, scanStep).Result()
			cancel()
			if err != nil {
				return unavailable("scan "+prefix, err)
			}
			mu.Lock()
			keys = append(keys, page...)
			mu.Unlock()
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
	slices.Sort(keys)
	return slices.Compact(keys), err
}

func (r *Redis) values(ctx context.Context, keys []string) ([][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	pipe := r.client.Pipeline()
	got := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		got[i] = pipe.Get(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, unavailable("scan", err)
	}
	values := make([][]byte, len(keys))
	for i, g := range got {
		value, err := g.Bytes()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, unavailable("scan", err)
		}
		values[i] = value
	}
	return values, nil
}

// Close implements Store.
func (r *Redis) Close() error {
	r.once.Do(func() { r.closeErr = r.client.Close() })
	return r.closeErr
}

// write runs one command, and with Replicas in the same round trip waits for
// them on the same connection.
func (r *Redis) write(ctx context.Context, key string, do func(context.Context, redis.Cmdable, string) redis.Cmder) error {
	if err := checkKey(key); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	if r.replicas == 0 {
		return answer(key, do(ctx, r.client, r.prefix+key).Err())
	}
	node := redis.Cmdable(r.client)
	cluster, isCluster := r.client.(*redis.ClusterClient)
	if isCluster {
		master, err := cluster.MasterForKey(ctx, r.prefix+key)
		if err != nil {
			return unavailable(key, err)
		}
		node = master
	}
	pipe := node.Pipeline()
	cmd := do(ctx, pipe, r.prefix+key)
	confirmed := pipe.Do(ctx, "wait", r.replicas, replicaWait.Milliseconds())
	_, err := pipe.Exec(ctx)
	if isCluster && err != nil && (redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK")) {
		cluster.ReloadState(ctx)
	}
	if err := answer(key, cmd.Err()); err != nil {
		return err
	}
	if n, err := confirmed.Int64(); err != nil {
		return unavailable(key, err)
	} else if n < int64(r.replicas) {
		return fmt.Errorf("%w: %d of %d redis replicas confirmed %s", ErrUnavailable, n, r.replicas, key)
	}
	return nil
}

// answer turns what Redis said about a key into the errors of Store.
func answer(key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.Nil):
		return fmt.Errorf("%w: %s", ErrNotFound, key)
	case errors.Is(err, context.Canceled):
		return err
	}
	return unavailable(key, err)
}

func unavailable(subject string, err error) error {
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, subject, err)
}

// whole rounds up to milliseconds, the unit of Redis.
func whole(ttl time.Duration) time.Duration {
	return (ttl + time.Millisecond - 1).Truncate(time.Millisecond)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// globEscape takes the special meaning from the characters of a SCAN pattern.
func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}

// SetRedisLog sends what go-redis itself has to say to log, at level warn; it
// would write to stderr otherwise. The setting holds for the whole process:
// call it once, before the first OpenRedis.
func SetRedisLog(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

type redisLog struct{ log *slog.Logger }

// Printf implements the logger of go-redis.
func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.WarnContext(ctx, "redis client", "err", fmt.Sprintf(format, v...))
}
