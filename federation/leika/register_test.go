package leika

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadRegister(t *testing.T) {
	const file = "\ufeffleika;name;thema\r\n" +
		"99107108017000;Bürgergeld beantragen;Soziales\r\n" +
		"99107108017000;Grundsicherungsgeld beantragen;Soziales\r\n" +
		"99107108017000;Bürgergeld beantragen;Soziales\r\n" +
		"99108001001000;\"Ausweis; für Bewohner\";Verkehr\r\n" +
		"99102013000000;;Steuern\r\n"
	r, err := ReadRegister(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Names(99107108017000), []string{"Bürgergeld beantragen", "Grundsicherungsgeld beantragen"}; !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	if name, ok := r.Name(99108001001000); name != "Ausweis; für Bewohner" || !ok {
		t.Errorf("name %q, %v", name, ok)
	}
	if name, ok := r.Name(99102013000000); name != "" || !ok || !r.Has(99102013000000) {
		t.Errorf("a key without name: %q, %v", name, ok)
	}
	if _, ok := r.Name(99102013001000); ok {
		t.Error("an unlisted key is known")
	}
	if got := r.IDs(); len(got) != r.Len() || !slices.IsSorted(got) || len(got) != 3 {
		t.Errorf("IDs %v", got)
	}
}

func TestReadRegisterComma(t *testing.T) {
	r, err := ReadRegister(strings.NewReader("Name, LeiKa\nHund anmelden,99102013104000\n"))
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := r.Name(99102013104000); name != "Hund anmelden" {
		t.Errorf("name %q", name)
	}
}

func TestReadRegisterRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ file, says string }{
		"empty file":         {"", "header"},
		"no leika column":    {"key;name\n99102013104000;x\n", `columns "leika" and "name"`},
		"short key":          {"leika;name\n99102013104000;x\n9910201310400;y\n", "line 3"},
		"letters":            {"leika;name\n9910201310400x;y\n", "line 2"},
		"row cut off":        {"leika;name\n99102013104000\n", "line 2"},
		"open quote":         {"leika;name\n99102013104000;\"y\n", "quote"},
		"name of a megabyte": {"leika;name\n99102013104000;" + strings.Repeat("x", 1<<20) + "\n", "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadRegister(strings.NewReader(tt.file))
			if !errors.Is(err, ErrRegister) || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
}

func TestNilRegister(t *testing.T) {
	var r *Register
	if _, ok := r.Name(99102013104000); ok || r.Has(99102013104000) || r.Len() != 0 || r.IDs() != nil || r.Names(99102013104000) != nil {
		t.Error("the nil register knows something")
	}
}

func TestSharedRegister(t *testing.T) {
	f := sharedData(t, "leika_keys.csv")
	r, err := ReadRegister(f)
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() < 200 {
		t.Errorf("%d keys, want more than 200", r.Len())
	}
	if name, _ := r.Name(99085001012000); name != "Reisepass beantragen" {
		t.Errorf("name %q", name)
	}
	for _, id := range r.IDs() {
		if !id.IsNational() || id.IsReserved() {
			t.Errorf("%s: national %v, reserved %v", id, id.IsNational(), id.IsReserved())
		}
	}
}

// sharedData opens a file of the folder shared/data that lies beside the
// repository. Without that folder the test is skipped, except in CI.
func sharedData(t *testing.T, name string) *os.File {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if f, err := os.Open(filepath.Join(dir, "shared", "data", name)); err == nil {
			t.Cleanup(func() { f.Close() })
			return f
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("shared/data/%s is missing, and CI needs it", name)
	}
	t.Skipf("shared/data/%s is not there", name)
	return nil
}

func FuzzReadRegister(f *testing.F) {
	f.Add("leika;name\n99102013104000;Hund\n")
	f.Add("\ufeffname,leika\r\n\"a\nb\",99102013104000\r\n")
	f.Add("leika;name\n99102013104000;\"")
	f.Add(";\n")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ReadRegister(strings.NewReader(s))
		if err != nil {
			if r != nil || !errors.Is(err, ErrRegister) {
				t.Fatalf("%v, %v", r, err)
			}
			return
		}
		for _, id := range r.IDs() {
			if _, ok := r.Name(id); !ok || id == 0 {
				t.Fatalf("key %v is listed but unknown", id)
			}
		}
	})
}
