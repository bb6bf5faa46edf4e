package discovery

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/memberlist"
)

// rotate makes ring hold exactly keys, the first one for encrypting.
//
// memberlist's RemoveKey shifts the slice that concurrent decryptions are
// reading, unless the key is the last one: then it writes nothing. UseKey
// always builds a new slice with the key in front, so using the wanted keys
// in reverse order puts them first, in order, and the unwanted ones last.
func rotate(ring *memberlist.Keyring, keys [][]byte) error {
	for _, k := range keys {
		if err := ring.AddKey(bytes.Clone(k)); err != nil {
			return fmt.Errorf("add gossip key: %w", err)
		}
	}
	for i := len(keys) - 1; i >= 0; i-- {
		if err := ring.UseKey(keys[i]); err != nil {
			return fmt.Errorf("use gossip key: %w", err)
		}
	}
	for held := ring.GetKeys(); len(held) > 0; held = ring.GetKeys() {
		last := held[len(held)-1]
		if containsKey(keys, last) {
			return nil
		}
		if err := ring.RemoveKey(last); err != nil {
			return fmt.Errorf("remove gossip key: %w", err)
		}
	}
	return nil
}

func containsKey(keys [][]byte, k []byte) bool {
	for _, x := range keys {
		if bytes.Equal(x, k) {
			return true
		}
	}
	return false
}
