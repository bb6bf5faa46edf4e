package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one argon2id run takes [RFC 9106 §4].
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultCost is 19 MiB and two passes, about 25 ms of one core: the least
// that OWASP recommends.
func DefaultCost() Cost { return Cost{Memory: 19 << 10, Time: 2, Threads: 1} }

const (
	saltSize = 16
	hashSize = 32
	maxCost  = 1 << 20 // KiB that a stored hash may ask for
)

var errHash = errors.New("account: stored password hash not readable")

// parallel is how many argon2 runs may go on at once.
func parallel() int { return max(2, runtime.GOMAXPROCS(0)) }

// hash returns the PHC string of a password.
func (a *Accounts) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	sum, err := a.derive(ctx, password, salt, a.c.Cost)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, a.c.Cost.Memory, a.c.Cost.Time, a.c.Cost.Threads, enc(salt), enc(sum)), nil
}

func (a *Accounts) derive(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, hashSize), nil
}

// matches compares a password with a PHC string. An empty hash costs the same
// and never matches: names that do not exist answer no faster.
func (a *Accounts) matches(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		_, err := a.derive(ctx, password, make([]byte, saltSize), a.c.Cost)
		return false, err
	}
	c, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got, err := a.derive(ctx, password, salt, c)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func parseHash(s string) (c Cost, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil {
		return c, nil, nil, errHash
	}
	if c.Memory == 0 || c.Memory > maxCost || c.Time == 0 || c.Time > 100 || c.Threads == 0 {
		return c, nil, nil, errHash
	}
	salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) != saltSize {
		return c, nil, nil, errHash
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) != hashSize {
		return c, nil, nil, errHash
	}
	return c, salt, sum, nil
}
