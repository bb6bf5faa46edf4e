package foreign

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrMissing is wrapped when node or the pinned packages are not installed.
var ErrMissing = errors.New("foreign: not installed")

// stopGrace is how long a script may take to end by itself.
const stopGrace = 5 * time.Second

// Required reports whether a missing node is a fault rather than a reason to
// skip.
func Required() bool {
	return slices.Contains(strings.Split(os.Getenv("RATHAUSNETZ_REQUIRE"), ","), "node")
}

// Dir finds testnet/foreign above the working directory and checks that node
// and the packages are there.
func Dir() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("%w: node", ErrMissing)
	}
	d, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		candidate := filepath.Join(d, "testnet", "foreign")
		if _, err := os.Stat(filepath.Join(candidate, "package.json")); err == nil {
			if _, err := os.Stat(filepath.Join(candidate, "node_modules", "oidc-provider")); err != nil {
				return "", fmt.Errorf("%w: run npm ci in testnet/foreign", ErrMissing)
			}
			return candidate, nil
		}
		up := filepath.Dir(d)
		if up == d {
			return "", fmt.Errorf("%w: testnet/foreign not found", ErrMissing)
		}
		d = up
	}
}

// Peer is one running script. It speaks lines of JSON on standard output.
type Peer struct {
	cmd  *exec.Cmd
	out  *bufio.Scanner
	once sync.Once
	err  error
}

// Start runs a script of testnet/foreign with config as its only argument,
// in JSON. What it writes to standard error goes to log.
func Start(ctx context.Context, script string, config any, log io.Writer) (*Peer, error) {
	dir, err := Dir()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, script), string(arg))
	cmd.Dir = dir
	cmd.Stderr = log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopGrace
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", script, err)
	}
	s := bufio.NewScanner(stdout)
	s.Buffer(make([]byte, 64<<10), 1<<20)
	return &Peer{cmd: cmd, out: s}, nil
}

// Pid is the process of the script, for whoever measures it.
func (p *Peer) Pid() int { return p.cmd.Process.Pid }

// Next reads the next line of the script into v. It returns io.EOF when the
// script has ended.
func (p *Peer) Next(v any) error {
	if !p.out.Scan() {
		return errors.Join(io.EOF, p.out.Err())
	}
	if err := json.Unmarshal(p.out.Bytes(), v); err != nil {
		return fmt.Errorf("line %q: %w", p.out.Text(), err)
	}
	return nil
}

// Stop ends the script and waits for it. It is idempotent.
func (p *Peer) Stop() error {
	p.once.Do(func() {
		// It may have ended by itself; Wait tells.
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		p.err = p.cmd.Wait()
		var exit *exec.ExitError
		if errors.As(p.err, &exit) && !exit.Exited() {
			p.err = nil // ended by our signal
		}
	})
	return p.err
}
