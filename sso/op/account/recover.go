package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// CodeLife is how long a recovery code holds.
const CodeLife = 24 * time.Hour

const recoverPrefix = "sso/account/recover/"

// recovery is a code that is out: its digest and the account it was made for.
type recovery struct {
	Digest  []byte    `json:"digest"`
	Account string    `json:"account"`
	Expires time.Time `json:"exp"`
}

// Code makes the one-time code with which the owner of an account sets a new
// password: twelve characters in groups of four, without letters that look
// alike, 59 bits. It is handed over in person or by telephone and holds for
// CodeLife; an earlier code of the account ends. Errors: ErrNotFound.
func (a *Accounts) Code(ctx context.Context, username string) (string, error) {
	r, err := a.read(ctx, username)
	if err != nil {
		return "", err
	}
	code := makeCode()
	b, err := json.Marshal(recovery{Digest: codeDigest(r.ID, code), Account: r.ID, Expires: a.c.Now().Add(CodeLife)})
	if err != nil {
		return "", err
	}
	a.c.Log.Info("recovery code made")
	return code, a.c.Store.Put(ctx, recoverKey(r.ID), b, CodeLife)
}

// Redeem sets a new password with a code, once, and forgets failed attempts.
// A wrong code counts like a wrong password and does not use the code up. A
// locked account stays locked: its operator has locked it. Errors: ErrInput
// for the new password, ErrWrong, *LimitError.
func (a *Accounts) Redeem(ctx context.Context, username, code, password, address string) (*Account, error) {
	username = Username(username)
	if len(username) > maxUsername || len(code) > maxPassword {
		return nil, ErrWrong
	}
	if err := a.CheckPassword(username, password); err != nil {
		return nil, err
	}
	return a.guarded(ctx, username, address, func() (*Account, error) { return a.redeem(ctx, username, code, password) })
}

func (a *Accounts) redeem(ctx context.Context, username, code, password string) (*Account, error) {
	r, err := a.read(ctx, username)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrWrong
	}
	if err != nil {
		return nil, err
	}
	right := false
	err = a.c.Store.Update(ctx, recoverKey(r.ID), func(old []byte) ([]byte, time.Duration, error) {
		right = false
		var c recovery
		if old == nil {
			return nil, 0, ErrWrong
		}
		if err := json.Unmarshal(old, &c); err != nil {
			return nil, 0, fmt.Errorf("account: recovery: %w", err)
		}
		left := c.Expires.Sub(a.c.Now())
		right = left > 0 && c.Account == r.ID && subtle.ConstantTimeCompare(c.Digest, codeDigest(r.ID, code)) == 1
		if right || left <= 0 {
			return nil, 0, nil
		}
		return old, left, nil
	})
	if err != nil {
		return nil, err
	}
	if !right || r.Locked {
		return nil, ErrWrong
	}
	return a.SetPassword(ctx, username, password)
}

// forgetCode removes what Code has left.
func (a *Accounts) forgetCode(ctx context.Context, id string) error {
	return a.c.Store.Delete(ctx, recoverKey(id))
}

func recoverKey(id string) string { return recoverPrefix + strings.TrimPrefix(nameKey(id), namePrefix) }

func codeDigest(id, code string) []byte {
	clean := strings.ToUpper(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, code))
	sum := sha256.Sum256([]byte(id + "\x00" + clean))
	return sum[:]
}

// codeLetters are 31 signs that are not easily taken for others.
const codeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXY"

func makeCode() string {
	out := make([]byte, 0, 14)
	for len(out) < 14 {
		if len(out) == 4 || len(out) == 9 {
			out = append(out, '-')
		}
		var b [1]byte
		_, _ = rand.Read(b[:])                                         // never fails since Go 1.24
		if n := int(b[0]); n < 256/len(codeLetters)*len(codeLetters) { // all signs equally often
			out = append(out, codeLetters[n%len(codeLetters)])
		}
	}
	return string(out)
}
