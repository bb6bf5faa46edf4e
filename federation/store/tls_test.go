package store_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
)

// certificate writes a self-signed certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", private), pool
}

func TestRedis_TLSAndPassword(t *testing.T) {
	cert, key, pool := certificate(t)
	port := storetest.FreePort(t)
	storetest.StartRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key,
		"--tls-ca-cert-file", cert, "--tls-auth-clients", "no", "--user", "node", "on", ">geheim", "~*", "&*", "+@all")
	addr := net.JoinHostPort("127.0.0.1", port)
	good := store.RedisConfig{Addrs: []string{addr}, TLS: &tls.Config{RootCAs: pool}, Username: "node", Password: "geheim"}
	r := openRedis(t, good)
	if err := r.Create(t.Context(), "t/a", []byte("v"), time.Minute); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*store.RedisConfig){
		"unknown authority": func(c *store.RedisConfig) { c.TLS = &tls.Config{} },
		"wrong password":    func(c *store.RedisConfig) { c.Password = "falsch" },
		"plain":             func(c *store.RedisConfig) { c.TLS = nil },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			change(&bad)
			if _, err := store.OpenRedis(t.Context(), bad); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
		})
	}
}
