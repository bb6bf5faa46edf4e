package control

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

type greeting struct{ Name string }

func TestCall(t *testing.T) {
	dir, err := os.MkdirTemp("", "rn") // t.TempDir is too long for a socket on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if _, err := Call[string](t.Context(), dir, "greet", greeting{}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no node: %v", err)
	}
	errNo := errors.New("that name is taken")
	s := &Server{Dir: dir, Verbs: map[string]Verb{"greet": Handle(func(_ context.Context, g greeting) (string, error) {
		if g.Name == "" {
			return "", errNo
		}
		return "Moin " + g.Name, nil
	})}}
	ln, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()

	if got, err := Call[string](ctx, dir, "greet", greeting{"Melle"}); err != nil || got != "Moin Melle" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := Call[string](ctx, dir, "greet", greeting{}); err == nil || err.Error() != errNo.Error() {
		t.Errorf("refusal: %v", err)
	}
	if _, err := Call[string](ctx, dir, "nope", nil); err == nil || !strings.Contains(err.Error(), `"nope"`) {
		t.Errorf("unknown verb: %v", err)
	}
	if _, err := (&Server{Dir: dir}).Listen(); !errors.Is(err, ErrRunning) {
		t.Errorf("second node on one folder: %v", err)
	}
	if info, err := os.Stat(Path(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket mode: %v, %v", info, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(Path(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket left behind: %v", err)
	}
	if _, err := (&Server{Dir: "/" + strings.Repeat("x", 120)}).Listen(); !errors.Is(err, ErrPath) {
		t.Errorf("long path: %v", err)
	}
}
