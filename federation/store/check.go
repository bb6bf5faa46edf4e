package store

import (
	"fmt"
	"time"
)

// maxKey is the longest key, in bytes.
const maxKey = 512

// maxTries bounds how often Update starts again because another writer was
// faster. Each lost round means that another one succeeded.
const maxTries = 1000

func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("%w: key of %d bytes, 1 to %d are allowed", ErrInvalid, len(key), maxKey)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fmt.Errorf("%w: key with byte %#x, printable ASCII is allowed", ErrInvalid, key[i])
		}
	}
	return nil
}

func checkWrite(key string, value []byte, ttl time.Duration) error {
	if len(value) > MaxValue {
		return fmt.Errorf("%w: value of %d bytes, at most %d are allowed", ErrInvalid, len(value), MaxValue)
	}
	if ttl < 0 {
		return fmt.Errorf("%w: ttl %v is negative", ErrInvalid, ttl)
	}
	return checkKey(key)
}

// deadline returns the moment a ttl ends in milliseconds since 1970, rounded
// up, and 0 for a key that never ends.
func deadline(now time.Time, ttl time.Duration) int64 {
	if ttl == 0 {
		return 0
	}
	return now.Add(ttl + time.Millisecond - 1).UnixMilli()
}

// gone reports whether a deadline has been reached.
func gone(deadline, now int64) bool { return deadline != 0 && deadline <= now }

func clock(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}
