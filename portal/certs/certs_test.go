package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// pair writes a certificate with this serial and its key.
func pair(t *testing.T, dir string, serial int64, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"a.example"}, NotBefore: start.Add(-time.Hour), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		write(t, path, pem.EncodeToMemory(b))
	}
	return cert, key
}

// write replaces a file as renewing programs do: by rename.
func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", b, 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	var late atomic.Int64
	var log bytes.Buffer
	clock := func() time.Time { return start.Add(time.Duration(late.Load())) }
	cert, key := pair(t, dir, 1, start.Add(90*24*time.Hour))
	f, err := OpenFiles(cert, key, clock, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		t.Helper()
		late.Add(int64(lookEvery))
		c, err := f.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	if serial() != 1 || log.Len() > 0 {
		t.Fatalf("first certificate; log: %s", log.String())
	}
	pair(t, dir, 2, start.Add(90*24*time.Hour))
	if serial() != 2 || !strings.Contains(log.String(), "certificate replaced") {
		t.Errorf("a renewed certificate is not used; log: %s", log.String())
	}

	log.Reset()
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	pair(t, dir, 3, start.Add(90*24*time.Hour))
	write(t, key, old) // the key of another one: as in the middle of a renewal
	for range 3 {
		if serial() != 2 {
			t.Error("a certificate without its key is used")
		}
	}
	write(t, key, []byte("nonsense"))
	if serial() != 2 {
		t.Error("nonsense is used")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if serial() != 2 {
		t.Error("the certificate has gone with its file")
	}
	if n := strings.Count(log.String(), "the one before stays"); n < 2 || n > 3 {
		t.Errorf("said %d times that it was not reloaded: %s", n, log.String())
	}
	if err := f.Use(cert, key); !errors.Is(err, ErrCertificate) {
		t.Errorf("use of broken files: %v", err)
	}

	log.Reset()
	cert, key = pair(t, t.TempDir(), 4, start.Add(10*24*time.Hour))
	if err := f.Use(cert, key); err != nil || serial() != 4 {
		t.Errorf("use of other files: %v", err)
	}
	serial()
	if n := strings.Count(log.String(), "level=WARN msg=\"certificate ends soon\""); n != 1 {
		t.Errorf("%d warnings before the end: %s", n, log.String())
	}
	late.Store(int64(8 * 24 * time.Hour))
	serial()
	if !strings.Contains(log.String(), "level=ERROR msg=\"certificate ends soon\"") {
		t.Errorf("no error two days before the end: %s", log.String())
	}
	if !f.NotAfter().Equal(start.Add(10 * 24 * time.Hour)) {
		t.Error(f.NotAfter())
	}
}

func TestOpenBroken(t *testing.T) {
	if _, err := OpenFiles("/nowhere", "/nowhere", nil, nil); !errors.Is(err, ErrCertificate) {
		t.Error(err)
	}
	if _, err := NewACME(ACMEConfig{}); !errors.Is(err, ErrCertificate) {
		t.Error(err)
	}
}
