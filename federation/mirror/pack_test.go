package mirror

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"rathausnetz/federation"
)

func somePack(t testing.TB) (b []byte, sealed string, chunks map[federation.Digest][]byte, places map[federation.Digest]location) {
	sealed = "manifest"
	chunks = map[federation.Digest][]byte{}
	for _, s := range []string{"", "a", "bb", "ccc"} {
		chunks[federation.Sum([]byte(s))] = []byte(s)
	}
	places = map[federation.Digest]location{}
	var buf bytes.Buffer
	if err := writePack(&buf, "p", sealed, chunks, places); err != nil {
		t.Fatal(err)
	}
	if int64(buf.Len()) != packSize(sealed, chunks) {
		t.Errorf("%d bytes, %d were said", buf.Len(), packSize(sealed, chunks))
	}
	return buf.Bytes(), sealed, chunks, places
}

func TestPackIsReadAsWritten(t *testing.T) {
	b, sealed, chunks, places := somePack(t)
	path := filepath.Join(t.TempDir(), "p")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	got := map[federation.Digest]location{}
	if s, err := indexPack(path, "p", got); err != nil || s != sealed || !maps.Equal(got, places) {
		t.Errorf("%q, %v, %v instead of %v", s, err, got, places)
	}
	for d, l := range got {
		if !bytes.Equal(b[l.offset:l.offset+int64(l.size)], chunks[d]) {
			t.Errorf("%s is elsewhere", d.Short())
		}
	}
}

// FuzzPack: a damaged pack is refused, or every digest in it holds.
func FuzzPack(f *testing.F) {
	b, _, _, _ := somePack(f)
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add([]byte(packMark))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := map[federation.Digest]location{}
		if _, err := readPack(bytes.NewReader(b), "p", got); err != nil {
			return
		}
		for d, l := range got {
			if federation.Sum(b[l.offset:l.offset+int64(l.size)]) != d {
				t.Error("a digest does not hold")
			}
		}
	})
}

// FuzzPointer: whatever is in a pointer, no path leads out of the folder.
func FuzzPointer(f *testing.F) {
	f.Add([]byte(`{"version":1,"member":"https://a.example","floor":1,"packs":["x.full"]}`))
	f.Add([]byte(`{"version":1,"packs":["../x"]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "p")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := readPointer(path)
		if err != nil {
			return
		}
		for _, name := range p.Packs {
			if filepath.Dir(filepath.Join("d", name)) != "d" {
				t.Errorf("pack %q", name)
			}
		}
	})
}
