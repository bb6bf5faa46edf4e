package mirror

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// Kept is one sealed manifest that is kept as evidence of an equivocation.
type Kept struct {
	Serial uint64
	Digest string // the first 12 hex digits
	Sealed string
	At     time.Time // when it was kept
}

// Kept returns what is kept as evidence against id, by serial and digest; nil
// for nothing. It reads the disk.
func (m *Mirror) Kept(id federation.EntityID) ([]Kept, error) {
	prefix := strings.TrimSuffix(pointerName(id), ".json") + "-"
	names, err := filepath.Glob(m.disk.path(evidenceDir, "*.jws"))
	if err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	slices.Sort(names)
	var out []Kept
	for _, name := range names {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".jws"), prefix)
		serial, digest, split := strings.Cut(rest, "-")
		n, err := strconv.ParseUint(serial, 10, 64)
		if !ok || !split || err != nil {
			continue
		}
		k := Kept{Serial: n, Digest: digest}
		if k.Sealed, k.At, err = readKept(name); err != nil {
			return nil, fmt.Errorf("evidence: %w", err)
		}
		out = append(out, k)
	}
	return out, nil
}

func readKept(name string) (string, time.Time, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", time.Time{}, err
	}
	b, err := io.ReadAll(io.LimitReader(f, catalog.MaxManifest))
	return string(b), info.ModTime(), err
}
