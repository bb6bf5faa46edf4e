package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rathausnetz/testnet"
	"rathausnetz/testnet/data"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rathausnetz": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }})
}

// TestScripts runs the command as its user does, from the files in testdata.
// $BUSY is a port in use, $PORT and $GOSSIP are free ones; $DEMO holds the
// catalogues of the demonstration.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Defer(func() { ln.Close() })
			e.Setenv("BUSY", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
			ports := freePorts(t, 2)
			e.Setenv("PORT", strconv.Itoa(ports[0]))
			e.Setenv("GOSSIP", strconv.Itoa(ports[1]))
			e.Setenv("DEMO", filepath.Join(e.WorkDir, "demo"))
			return unpackDemo(filepath.Join(e.WorkDir, "demo"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await},
	})
}

// await repeats a command until it succeeds, because a node needs a moment to
// come up: await rathausnetz status …
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: await COMMAND [ARGUMENT…]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ts.Check(testnet.Await(ctx, func() error { return ts.Exec(args[0], args[1:]...) }))
}

// unpackDemo writes the XZuFi folders of the demonstration, with links that
// mean this machine in place of the names that are filled in at run time.
func unpackDemo(dir string) error {
	return fs.WalkDir(data.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := filepath.Ext(path); ext != ".xml" && ext != ".txt" {
			return nil
		}
		b, err := data.FS.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, path)
		b = bytes.ReplaceAll(b, []byte(".demo.invalid"), []byte(".demo.example"))
		return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o644))
	})
}

// sharedFile names a file of the folder shared/data that lies beside the
// repository. Without that folder the test is skipped, except in CI.
func sharedFile(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if strings.EqualFold(os.Getenv("CI"), "true") {
		t.Fatalf("shared/data/%s is missing, and CI needs it", name)
	}
	t.Skipf("shared/data/%s is not there", name)
	return ""
}
