package portal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPoolKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pool.key")
	if err := WritePoolKey(path); err != nil {
		t.Fatal(err)
	}
	if err := WritePoolKey(path); !errors.Is(err, ErrPoolKey) || !errors.Is(err, os.ErrExist) {
		t.Errorf("an existing file is replaced: %v", err)
	}
	keys, err := readPoolKeys(path)
	if err != nil || len(keys) != 1 || len(keys[0]) != poolKeyBytes {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	write := func(s string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(s), mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	write("# rotated\n"+NewPoolKey()+"\n\n"+NewPoolKey()+"\n", 0o600)
	if keys, err := readPoolKeys(path); err != nil || len(keys) != 2 {
		t.Errorf("rotation: %d keys, %v", len(keys), err)
	}
	for name, x := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by others": {NewPoolKey(), 0o644, "chmod 600"},
		"empty":              {"\n", 0o600, "holds no key"},
		"too short":          {"c2hvcnQ=", 0o600, "one key of 32 bytes"},
		"too large":          {strings.Repeat("#", maxKeyFile+1), 0o600, "at most"},
	} {
		write(x.text, x.mode)
		if _, err := readPoolKeys(path); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
