package main

import (
	"net"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rathausnetz": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }})
}

// TestScripts runs the command as its user does, from the files in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(e *testscript.Env) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		e.Defer(func() { ln.Close() })
		e.Setenv("BUSY", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
		return nil
	}})
}
