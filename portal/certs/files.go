package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// ErrCertificate is wrapped by every reason why a certificate is not used.
var ErrCertificate = errors.New("certs: the certificate cannot be used")

// How long before its end a certificate is worth a word in the log.
const (
	warnBefore  = 14 * 24 * time.Hour
	errorBefore = 3 * 24 * time.Hour
	maxFile     = 1 << 20 // bytes
)

// lookEvery is how often the files are looked at, besides Run's own rhythm.
const (
	lookEvery  = 5 * time.Second
	checkEvery = time.Hour
)

// Files is a certificate and its key in PEM files. Where another program
// renews them, the new ones are in use a few seconds later.
type Files struct {
	now func() time.Time
	log *slog.Logger

	mu     sync.Mutex
	paths  [2]string // certificate, key; guarded by mu, as is what follows
	seen   [2]mark
	looked time.Time
	failed bool // the files as seen last cannot be used
	pair   *tls.Certificate
	warned time.Time // when its end was last spoken of
}

// mark tells two states of a file apart.
type mark struct {
	changed time.Time
	size    int64
	inode   uint64
}

// OpenFiles reads both files. nil for now means time.Now, nil for log discard.
func OpenFiles(cert, key string, now func() time.Time, log *slog.Logger) (*Files, error) {
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Files{now: now, log: log}
	return f, f.Use(cert, key)
}

// Use reads these files and takes the certificate over if it can be used;
// otherwise everything stays as it was.
func (f *Files) Use(cert, key string) error {
	paths := [2]string{cert, key}
	seen, pair, err := read(paths)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.take(paths, seen, pair)
	return nil
}

// take makes a certificate the one in use; called with mu held.
func (f *Files) take(paths [2]string, seen [2]mark, pair *tls.Certificate) {
	if f.pair != nil && !f.pair.Leaf.Equal(pair.Leaf) {
		f.log.Info("certificate replaced", "until", pair.Leaf.NotAfter)
	}
	f.paths, f.seen, f.pair, f.failed, f.looked, f.warned = paths, seen, pair, false, f.now(), time.Time{}
	f.speak()
}

// GetCertificate implements tls.Config.GetCertificate.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d := f.now().Sub(f.looked); d >= lookEvery || d < 0 {
		f.look()
	}
	return f.pair, nil
}

// NotAfter is the end of the certificate in use.
func (f *Files) NotAfter() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pair.Leaf.NotAfter
}

// Run looks at the files also while nobody connects, so that the log says in
// time what is wrong with them.
func (f *Files) Run(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			f.mu.Lock()
			f.look()
			f.mu.Unlock()
		}
	}
}

// look reads the files if they have changed; called with mu held.
func (f *Files) look() {
	f.looked = f.now()
	defer f.speak()
	var marks [2]mark
	for i, p := range f.paths {
		info, err := os.Stat(p)
		if err != nil {
			f.fail(fmt.Errorf("%w: %w", ErrCertificate, err))
			return
		}
		marks[i] = markOf(info)
	}
	if marks == f.seen {
		return
	}
	seen, pair, err := read(f.paths)
	if err != nil {
		f.seen = marks // said once for this state of the files
		f.failed = false
		f.fail(err)
		return
	}
	f.take(f.paths, seen, pair)
}

func (f *Files) fail(err error) {
	if !f.failed {
		f.log.Error("certificate not reloaded, the one before stays", "err", err)
	}
	f.failed = true
}

// speak says once a day that the certificate in use ends soon.
func (f *Files) speak() {
	now := f.now()
	left := f.pair.Leaf.NotAfter.Sub(now)
	if left > warnBefore || now.Sub(f.warned) < 24*time.Hour {
		return
	}
	f.warned = now
	level := slog.LevelWarn
	if left < errorBefore {
		level = slog.LevelError
	}
	f.log.Log(context.Background(), level, "certificate ends soon", "until", f.pair.Leaf.NotAfter)
}

func markOf(info os.FileInfo) mark {
	return mark{changed: info.ModTime(), size: info.Size(), inode: inode(info)}
}

// read loads a pair. The marks are taken before the content: a change in
// between is seen at the next look.
func read(paths [2]string) (marks [2]mark, pair *tls.Certificate, err error) {
	var b [2][]byte
	for i, p := range paths {
		if b[i], marks[i], err = readFile(p); err != nil {
			return marks, nil, fmt.Errorf("%w: %w", ErrCertificate, err)
		}
	}
	c, err := tls.X509KeyPair(b[0], b[1])
	if err != nil {
		return marks, nil, fmt.Errorf("%w: %s: %w", ErrCertificate, paths[0], err)
	}
	if c.Leaf == nil {
		if c.Leaf, err = x509.ParseCertificate(c.Certificate[0]); err != nil {
			return marks, nil, fmt.Errorf("%w: %s: %w", ErrCertificate, paths[0], err)
		}
	}
	return marks, &c, nil
}

func readFile(path string) ([]byte, mark, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, mark{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, mark{}, err
	}
	b, err := io.ReadAll(io.LimitReader(in, maxFile))
	return b, markOf(info), err
}
