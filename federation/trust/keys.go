package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Keys are the two key sets of one entity: Federation signs statements, marks
// and manifests; Protocol signs what OpenID Connect needs. In each the first
// key signs; the others are announced for later or retired, and are shown.
type Keys struct {
	Federation, Protocol []*Key
	// History holds federation keys that are no longer shown [OIDF §8.7].
	History []HistoricalKey
}

// FederationJWKS returns the public federation keys: what statements show.
func (k *Keys) FederationJWKS() JWKS { return union(k.Federation) }

// ProtocolJWKS returns the public protocol keys.
func (k *Keys) ProtocolJWKS() JWKS { return union(k.Protocol) }

func union(keys []*Key) JWKS {
	var s JWKS
	for _, k := range keys {
		s = s.Union(k.public)
	}
	return s
}

// The files of a key directory.
const (
	federationFile = "federation.jwks"
	protocolFile   = "protocol.jwks"
)

// keyFile is the JSON of one file: private JWKs with their life.
type keyFile struct {
	Keys    []storedKey     `json:"keys"`
	History []HistoricalKey `json:"history,omitempty"`
}

type storedKey struct {
	JWK       json.RawMessage `json:"jwk"`
	Created   Seconds         `json:"iat,omitempty"`
	NotBefore Seconds         `json:"nbf,omitempty"`
}

// LoadKeys reads federation.jwks and protocol.jwks from dir and orders them
// for the present moment (see Keys.At). A file that others may read or write
// is refused with ErrPermissions and the command that helps; anything else
// that is wrong with a file wraps ErrKeyFile and names it.
func LoadKeys(dir string) (*Keys, error) {
	fed, history, err := loadFile(filepath.Join(dir, federationFile))
	if err != nil {
		return nil, err
	}
	proto, _, err := loadFile(filepath.Join(dir, protocolFile))
	if err != nil {
		return nil, err
	}
	return (&Keys{Federation: fed, Protocol: proto, History: history}).At(time.Now()), nil
}

// CreateKeys makes a federation and a protocol key in dir, which is created
// with mode 0700 if it is missing. Existing files are never overwritten
// (fs.ErrExist).
func CreateKeys(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	for _, name := range []string{federationFile, protocolFile} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("%s: %w: keys are there already and are not overwritten", filepath.Join(dir, name), fs.ErrExist)
		}
	}
	var keys Keys
	now := time.Now()
	for _, set := range []struct {
		name string
		into *[]*Key
	}{{federationFile, &keys.Federation}, {protocolFile, &keys.Protocol}} {
		k, err := NewKey()
		if err != nil {
			return nil, err
		}
		k.created = now
		*set.into = []*Key{k}
		if err := saveFile(filepath.Join(dir, set.name), *set.into, nil, os.O_EXCL); err != nil {
			return nil, err
		}
	}
	return &keys, nil
}

func loadFile(path string) ([]*Key, []HistoricalKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fmt.Errorf("%s has mode %04o: %w; run: chmod 600 %s", path, info.Mode().Perm(), ErrPermissions, path)
	}
	if info.Size() > 1<<20 {
		return nil, nil, fmt.Errorf("%w: %s is larger than 1 MiB", ErrKeyFile, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	var f keyFile
	if err := Decode(b, &f); err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, path, err)
	}
	var keys []*Key
	for _, s := range f.Keys {
		k, err := s.key()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, path, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, nil, fmt.Errorf("%w: %s holds no key", ErrKeyFile, path)
	}
	return keys, f.History, nil
}

func (s storedKey) key() (*Key, error) {
	var j jose.JSONWebKey
	if err := j.UnmarshalJSON(s.JWK); err != nil {
		return nil, fmt.Errorf("%w: not a JWK", ErrKey)
	}
	p, ok := ecKey(j)
	if !ok {
		return nil, fmt.Errorf("%w: not a private P-256 key", ErrKey)
	}
	k, err := newKey(p)
	if err != nil {
		return nil, err
	}
	k.created, k.notBefore = s.Created.Time(), s.NotBefore.Time()
	return k, nil
}

// saveFile writes mode 0600 through a temporary file and a rename; with
// os.O_EXCL an existing file stays as it is.
func saveFile(path string, keys []*Key, history []HistoricalKey, flag int) error {
	f := keyFile{Keys: make([]storedKey, 0, len(keys)), History: history}
	for _, k := range keys {
		j, err := jose.JSONWebKey{Key: k.private, KeyID: k.id, Algorithm: string(jose.ES256), Use: "sig"}.MarshalJSON()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrKeyFile, err)
		}
		s := storedKey{JWK: j}
		if !k.created.IsZero() {
			s.Created = At(k.created)
		}
		if !k.notBefore.IsZero() {
			s.NotBefore = At(k.notBefore)
		}
		f.Keys = append(f.Keys, s)
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return writeSecret(path, append(b, '\n'), flag)
}

func writeSecret(path string, b []byte, flag int) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	defer func() { err = errors.Join(err, ignoreMissing(os.Remove(tmp.Name()))) }()
	_, werr := tmp.Write(b)
	if err := errors.Join(werr, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	if flag&os.O_EXCL != 0 {
		// A link fails where a rename would replace.
		err = os.Link(tmp.Name(), path)
	} else {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKeyFile, err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// At returns the sets as they hold at now: the key that became active last
// signs and stands first, then the other active ones from new to old, then the
// announced ones.
func (k *Keys) At(now time.Time) *Keys {
	return &Keys{Federation: order(k.Federation, now), Protocol: order(k.Protocol, now), History: k.History}
}

func order(keys []*Key, now time.Time) []*Key {
	active := func(k *Key) bool { return !k.notBefore.After(now) }
	out := slices.Clone(keys)
	slices.SortStableFunc(out, func(a, b *Key) int {
		switch {
		case active(a) != active(b) && active(a):
			return -1
		case active(a) != active(b):
			return 1
		case active(a):
			return b.notBefore.Compare(a.notBefore)
		}
		return a.notBefore.Compare(b.notBefore)
	})
	return out
}
