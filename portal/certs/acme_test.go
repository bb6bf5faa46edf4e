package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// authority is as much of an ACME server as it takes for one certificate by
// TLS-ALPN-01. It checks the challenge as a real one does, and no signatures
// of requests.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	srv  *httptest.Server
	node string // host:port where port 443 of the name leads

	mu      sync.Mutex
	account string // thumbprint of the account key; guarded by mu, as is what follows
	valid   bool
	issued  []byte
	orders  int
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour * 24 * 365)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: k, cert: c}
	a.srv = httptest.NewServer(a)
	t.Cleanup(a.srv.Close)
	return a
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Replay-Nonce", base64.RawURLEncoding.EncodeToString([]byte(rand.Text())))
	payload := a.open(r)
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			a.t.Error(err)
		}
	}
	u := func(p string) string { return a.srv.URL + p }
	order := map[string]any{"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": "portal.test.example"}}, "authorizations": []string{u("/authz")}, "finalize": u("/finalize")}
	challenge := map[string]any{"type": "tls-alpn-01", "url": u("/challenge"), "token": "a-token", "status": "pending"}
	if a.valid {
		order["status"], challenge["status"] = "ready", "valid"
	}
	if a.issued != nil {
		order["status"], order["certificate"] = "valid", u("/certificate")
	}
	switch r.URL.Path {
	case "/directory":
		answer(200, map[string]string{"newNonce": u("/nonce"), "newAccount": u("/account"), "newOrder": u("/order"), "revokeCert": u("/revoke"), "keyChange": u("/change")})
	case "/nonce":
	case "/account":
		w.Header().Set("Location", u("/account/1"))
		answer(201, map[string]string{"status": "valid"})
	case "/order":
		if r.URL.RawQuery == "" && len(payload) > 0 {
			a.orders++
			w.Header().Set("Location", u("/order?1"))
			answer(201, order)
			return
		}
		answer(200, order)
	case "/authz":
		answer(200, map[string]any{"status": map[bool]string{true: "valid", false: "pending"}[a.valid], "identifier": map[string]string{"type": "dns", "value": "portal.test.example"}, "challenges": []any{challenge}})
	case "/challenge":
		a.check()
		if a.valid {
			challenge["status"] = "valid"
		}
		answer(200, challenge)
	case "/finalize":
		a.issue(payload)
		order["status"], order["certificate"] = "valid", u("/certificate")
		w.Header().Set("Location", u("/order?1"))
		answer(200, order)
	case "/certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(a.issued)
	default:
		http.NotFound(w, r)
	}
}

// open takes the payload out of a request, and notes the account's key.
func (a *authority) open(r *http.Request) []byte {
	var jws struct{ Protected, Payload string }
	if b, err := io.ReadAll(r.Body); err != nil || json.Unmarshal(b, &jws) != nil {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(jws.Protected)
	if err != nil {
		a.t.Error(err)
	}
	var head struct{ JWK *struct{ X, Y string } }
	if err := json.Unmarshal(raw, &head); err != nil {
		a.t.Error(err)
	}
	if head.JWK != nil {
		point := make([]byte, 1, 65)
		point[0] = 4 // uncompressed
		for _, s := range []string{head.JWK.X, head.JWK.Y} {
			b, err := base64.RawURLEncoding.DecodeString(s)
			if err != nil {
				a.t.Error(err)
			}
			point = append(point, b...)
		}
		pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			a.t.Error(err)
			return nil
		}
		print, err := acme.JWKThumbprint(pub)
		if err != nil {
			a.t.Error(err)
		}
		a.account = print
	}
	payload, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil {
		a.t.Error(err)
	}
	return payload
}

// check connects to the node as RFC 8737 §3 says.
func (a *authority) check() {
	c, err := tls.Dial("tcp", a.node, &tls.Config{ServerName: "portal.test.example", NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		a.t.Errorf("challenge: %v", err)
		return
	}
	defer c.Close()
	sum := sha256.Sum256([]byte("a-token." + a.account))
	for _, e := range c.ConnectionState().PeerCertificates[0].Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && strings.HasSuffix(string(e.Value), string(sum[:])) {
			a.valid = true
		}
	}
}

func (a *authority) issue(payload []byte) {
	var in struct{ CSR string }
	if err := json.Unmarshal(payload, &in); err != nil {
		a.t.Error(err)
		return
	}
	der, err := base64.RawURLEncoding.DecodeString(in.CSR)
	if err != nil {
		a.t.Error(err)
		return
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || !a.valid {
		a.t.Errorf("a certificate is wanted without a challenge that holds: %v", err)
		return
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(80 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	out, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, csr.PublicKey, a.key)
	if err != nil {
		a.t.Error(err)
		return
	}
	a.issued = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: out}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})...)
}

// TestACME gets a certificate from an authority that checks the challenge, and
// serves with it: the first visitor brings it about, the second uses it, and
// after a restart it comes from the folder.
func TestACME(t *testing.T) {
	ca := newAuthority(t)
	cache := filepath.Join(t.TempDir(), "acme")
	start := func() (*ACME, *httptest.Server) {
		a, err := NewACME(ACMEConfig{Host: "portal.test.example", Directory: ca.srv.URL + "/directory", Email: "it@test.example", Cache: cache, HTTP: ca.srv.Client()})
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
		s.TLS = a.TLS()
		s.StartTLS()
		t.Cleanup(s.Close)
		return a, s
	}
	a, node := start()
	ca.node = node.Listener.Addr().String()
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	visit := func(s *httptest.Server, name string) error {
		c, err := tls.Dial("tcp", s.Listener.Addr().String(), &tls.Config{ServerName: name, RootCAs: roots})
		if err != nil {
			return err
		}
		return c.Close()
	}
	if !a.NotAfter().IsZero() {
		t.Error("a certificate before anybody asked")
	}
	for range 2 {
		if err := visit(node, "portal.test.example"); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Until(a.NotAfter()); d < 79*24*time.Hour || d > 81*24*time.Hour {
		t.Errorf("it ends in %v", d)
	}
	if err := visit(node, "other.test.example"); err == nil {
		t.Error("a certificate for another name")
	}
	_, again := start()
	if err := visit(again, "portal.test.example"); err != nil {
		t.Fatal(err)
	}
	if ca.orders != 1 {
		t.Errorf("%d orders for one certificate", ca.orders)
	}
	files, err := os.ReadDir(cache)
	if err != nil || len(files) < 2 {
		t.Errorf("kept: %v %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v %v", f.Name(), info.Mode(), err)
		}
	}
}
