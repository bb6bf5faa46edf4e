package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
)

// Errors of this package; store.ErrUnavailable is passed on.
var (
	ErrHost     = errors.New("passkey: needs a host name, an address will not do")
	ErrRefused  = errors.New("passkey: refused")
	ErrNotFound = errors.New("passkey: no such passkey")
	ErrMany     = errors.New("passkey: the account has as many as it may")
	ErrName     = errors.New("passkey: name not allowed")
)

const (
	keyPrefix       = "sso/passkey/key/"       // digest of the credential ID → record
	accountPrefix   = "sso/passkey/account/"   // digest of the account → list of those digests
	challengePrefix = "sso/passkey/challenge/" // digest of a handle → account

	challengeLife = 10 * time.Minute
	minSecret     = 16 // bytes
	maxKeys       = 10 // of one account
	maxName       = 60 // characters
	maxAnswer     = 16 << 10
)

// Key is one passkey as its owner sees it.
type Key struct {
	ID      string    `json:"id"` // names it to its owner; 43 characters
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"` // last login with it; zero: never
	Synced  bool      `json:"synced"`        // it may be copied to other devices of the person
}

// record is what is stored under the digest of a credential ID.
type record struct {
	Key
	Account    string              `json:"account"`
	Credential webauthn.Credential `json:"credential"`
}

// Config of Keys.
type Config struct {
	Store  store.Store         // required
	Issuer federation.EntityID // required: the provider; keys hold for its host only
	Name   string              // required: legal name, shown by the browser
	Secret []byte              // required, at least 16 bytes: challenges are derived from it
	Now    func() time.Time
	Log    *slog.Logger
}

// Keys is the repository. It is safe for concurrent use, also by several
// replicas over one store.
type Keys struct {
	c Config
	w *webauthn.WebAuthn
}

// New checks the configuration; it does no I/O. Errors: ErrHost, if the issuer
// is reached by address: browsers make no passkeys there.
func New(c Config) (*Keys, error) {
	if c.Store == nil || c.Issuer == "" || c.Name == "" || len(c.Secret) < minSecret {
		return nil, errors.New("passkey: Config needs Store, Issuer, Name and Secret")
	}
	host := c.Issuer.Host()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrHost, host)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: c.Name, RPOrigins: []string{c.Issuer.Origin()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: %w", err)
	}
	return &Keys{c: c, w: w}, nil
}

// owner is an account as the library wants to see it.
type owner struct {
	handle []byte
	name   string
	keys   []webauthn.Credential
}

func (o owner) WebAuthnID() []byte                         { return o.handle }
func (o owner) WebAuthnName() string                       { return o.name }
func (o owner) WebAuthnDisplayName() string                { return o.name }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// derive makes 32 bytes that only this provider can make, for one use each.
func (k *Keys) derive(use, of string) []byte {
	mac := hmac.New(sha256.New, k.c.Secret)
	_, _ = io.WriteString(mac, "passkey "+use+"\x00"+of) // a hash does not fail
	return mac.Sum(nil)
}

// handle is what an authenticator keeps of the account: it says nothing about
// the person and is no key to anything here [WebAuthn §14.6.1].
func (k *Keys) handle(account string) []byte { return k.derive("user", account) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// List returns the passkeys of an account, oldest first.
func (k *Keys) List(ctx context.Context, account string) ([]Key, error) {
	all, err := k.records(ctx, account)
	out := make([]Key, 0, len(all))
	for _, r := range all {
		out = append(out, r.Key)
	}
	return out, err
}

func (k *Keys) records(ctx context.Context, account string) ([]record, error) {
	ids, err := k.ids(ctx, account)
	if err != nil {
		return nil, err
	}
	var out []record
	for _, id := range ids {
		r, err := k.read(ctx, id)
		switch {
		case err == nil && r.Account == account:
			out = append(out, *r)
		case err != nil && !errors.Is(err, ErrNotFound):
			return nil, err
		}
	}
	return out, nil
}

func (k *Keys) ids(ctx context.Context, account string) ([]string, error) {
	b, err := k.c.Store.Get(ctx, accountPrefix+digest([]byte(account)))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	if err := json.Unmarshal(b, &ids); err != nil {
		return nil, fmt.Errorf("passkey: list: %w", err)
	}
	return ids, nil
}

func (k *Keys) read(ctx context.Context, id string) (*record, error) {
	b, err := k.c.Store.Get(ctx, keyPrefix+id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("passkey: record: %w", err)
	}
	return r, nil
}

// change applies f to a key of this account. Errors: ErrNotFound.
func (k *Keys) change(ctx context.Context, account, id string, f func(*record)) error {
	if len(id) != 43 {
		return ErrNotFound
	}
	err := k.c.Store.Update(ctx, keyPrefix+id, func(old []byte) ([]byte, time.Duration, error) {
		if old == nil {
			return nil, 0, ErrNotFound
		}
		var r record
		if err := json.Unmarshal(old, &r); err != nil {
			return nil, 0, fmt.Errorf("passkey: record: %w", err)
		}
		if r.Account != account {
			return nil, 0, ErrNotFound
		}
		f(&r)
		b, err := json.Marshal(r)
		return b, 0, err
	})
	if errors.Is(err, store.ErrInvalid) {
		return ErrNotFound
	}
	return err
}

// Rename gives a passkey another name. Errors: ErrNotFound, ErrName.
func (k *Keys) Rename(ctx context.Context, account, id, name string) error {
	name, err := cleanName(name)
	if err != nil {
		return err
	}
	return k.change(ctx, account, id, func(r *record) { r.Name = name })
}

// Remove forgets a passkey of an account. Errors: ErrNotFound.
func (k *Keys) Remove(ctx context.Context, account, id string) error {
	if err := k.change(ctx, account, id, func(*record) {}); err != nil {
		return err
	}
	// The key first: what is still listed and not there is nothing.
	if err := k.c.Store.Delete(ctx, keyPrefix+id); err != nil {
		return err
	}
	k.c.Log.Info("passkey removed")
	return k.enlist(ctx, account, func(ids []string) ([]string, error) {
		return slices.DeleteFunc(ids, func(x string) bool { return x == id }), nil
	})
}

// Forget removes every passkey of an account that is deleted.
func (k *Keys) Forget(ctx context.Context, account string) error {
	ids, err := k.ids(ctx, account)
	for _, id := range ids {
		err = errors.Join(err, k.c.Store.Delete(ctx, keyPrefix+id))
	}
	return errors.Join(err, k.c.Store.Delete(ctx, accountPrefix+digest([]byte(account))))
}

func (k *Keys) enlist(ctx context.Context, account string, f func([]string) ([]string, error)) error {
	return k.c.Store.Update(ctx, accountPrefix+digest([]byte(account)), func(old []byte) ([]byte, time.Duration, error) {
		var ids []string
		if old != nil {
			if err := json.Unmarshal(old, &ids); err != nil {
				return nil, 0, fmt.Errorf("passkey: list: %w", err)
			}
		}
		ids, err := f(ids)
		if err != nil || len(ids) == 0 {
			return nil, 0, err
		}
		b, err := json.Marshal(ids)
		return b, 0, err
	})
}

func cleanName(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if !utf8.ValidString(s) || s == "" || utf8.RuneCountInString(s) > maxName || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("%w: 1 to %d characters", ErrName, maxName)
	}
	return s, nil
}
