package trust

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Role names one of the two key sets of an entity.
type Role string

// The roles.
const (
	RoleFederation Role = "federation"
	RoleProtocol   Role = "protocol"
)

func (r Role) file() (string, error) {
	switch r {
	case RoleFederation:
		return federationFile, nil
	case RoleProtocol:
		return protocolFile, nil
	}
	return "", fmt.Errorf("%w: %q is neither federation nor protocol", ErrKeyFile, clip(string(r)))
}

// AnnounceKey adds a new key to dir that is shown at once and signs after
// lead: everybody must have seen it before the first signature with it, so
// lead should be longer than the life of a statement (24 h). Retire the former
// key after another such time.
func AnnounceKey(dir string, role Role, now time.Time, lead time.Duration) (*Key, error) {
	name, err := role.file()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	keys, history, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if k.notBefore.After(now) {
			return nil, fmt.Errorf("%w: %s: a new key is announced already, it signs from %s", ErrKeyFile, path, k.notBefore.UTC().Format(time.RFC3339))
		}
	}
	k, err := NewKey()
	if err != nil {
		return nil, err
	}
	k.created, k.notBefore = now, now.Add(lead)
	return k, saveFile(path, append(keys, k), history, os.O_TRUNC)
}

// RetireKeys takes all keys of a role that do not sign any more out of dir, and
// one that is compromised at once, whether it signs or not: name it by kid.
// Federation keys go to the history [OIDF §8.7] with the reason. What stays
// must be able to sign: the last active key is never retired.
func RetireKeys(dir string, role Role, now time.Time, compromised string) ([]HistoricalKey, error) {
	name, err := role.file()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	keys, history, err := loadFile(path)
	if err != nil {
		return nil, err
	}
	if compromised != "" && !slices.ContainsFunc(keys, func(k *Key) bool { return k.id == compromised }) {
		return nil, fmt.Errorf("%w: %s holds no key %q", ErrKeyFile, path, clip(compromised))
	}
	keys = order(keys, now)
	var stay []*Key
	var gone []HistoricalKey
	signing := false
	for _, k := range keys {
		active := !k.notBefore.After(now)
		switch {
		case k.id == compromised:
			gone = append(gone, HistoricalKey{Public: k.public, IssuedAt: k.created, Expires: now, RevokedAt: now, Reason: ReasonCompromised})
		case active && signing:
			gone = append(gone, HistoricalKey{Public: k.public, IssuedAt: k.created, Expires: now, RevokedAt: now, Reason: ReasonSuperseded})
		default:
			signing = signing || active
			stay = append(stay, k)
		}
	}
	if !signing {
		return nil, fmt.Errorf("%w: %s: no other key could sign; announce one with lead 0 first", ErrKeyFile, path)
	}
	if len(gone) == 0 {
		return nil, nil
	}
	if role == RoleFederation {
		history = append(history, gone...)
	}
	return gone, saveFile(path, stay, history, os.O_TRUNC)
}

// KeyInfo tells an operator about one key of a folder.
type KeyInfo struct {
	Role    Role      `json:"role"`
	ID      string    `json:"kid"`           // RFC 7638 thumbprint
	State   string    `json:"state"`         // signs, announced (will sign) or shown (signed before)
	Created time.Time `json:"made,omitzero"` // zero: unknown
	From    time.Time `json:"from,omitzero"` // zero: from the beginning
}

// ListKeys tells about every key of dir, federation first, each role in the
// order of a signing node. It returns no private part.
func ListKeys(dir string, now time.Time) ([]KeyInfo, error) {
	var out []KeyInfo
	for _, role := range []Role{RoleFederation, RoleProtocol} {
		name, err := role.file()
		if err != nil {
			return nil, err
		}
		keys, _, err := loadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		for i, k := range order(keys, now) {
			state := "shown"
			switch {
			case k.notBefore.After(now):
				state = "announced"
			case i == 0:
				state = "signs"
			}
			out = append(out, KeyInfo{Role: role, ID: k.id, State: state, Created: k.created, From: k.notBefore})
		}
	}
	return out, nil
}
