package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACMEConfig says where a certificate comes from.
type ACMEConfig struct {
	Host      string // the one name it is for
	Directory string // of the authority; empty: Let's Encrypt
	Email     string // where the authority writes; may be empty
	Cache     string // folder for account key and certificates, made with mode 0700
	HTTP      *http.Client
	Log       *slog.Logger
}

// ACME gets and renews a certificate by TLS-ALPN-01 [RFC 8737]: the authority
// connects to port 443 of the host, which must lead to the listener itself and
// not to a proxy that ends TLS.
type ACME struct {
	manager *autocert.Manager
	host    string
	log     *slog.Logger
	until   atomic.Int64 // end of the certificate given out last, Unix seconds
}

// NewACME checks the configuration; it does no I/O.
func NewACME(cfg ACMEConfig) (*ACME, error) {
	if cfg.Host == "" || cfg.Cache == "" {
		return nil, fmt.Errorf("%w: host and cache are needed", ErrCertificate)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	client := &acme.Client{DirectoryURL: cfg.Directory, HTTPClient: cfg.HTTP, UserAgent: "rathausnetz"}
	return &ACME{host: cfg.Host, log: cfg.Log, manager: &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cfg.Cache), HostPolicy: autocert.HostWhitelist(cfg.Host), Email: cfg.Email, Client: client,
	}}, nil
}

// TLS is the configuration of the listener.
func (a *ACME) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}, GetCertificate: a.get}
}

func (a *ACME) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c, err := a.manager.GetCertificate(hello)
	if err != nil {
		if hello.ServerName == a.host { // others ask for names of their own
			a.log.Warn("no certificate from the authority", "err", err)
		}
		return nil, err
	}
	if leaf := leafOf(c); leaf != nil && !slices.Contains(hello.SupportedProtos, acme.ALPNProto) { // else: the answer to a challenge
		a.until.Store(leaf.NotAfter.Unix())
	}
	return c, nil
}

func leafOf(c *tls.Certificate) *x509.Certificate {
	if c.Leaf != nil {
		return c.Leaf
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// NotAfter is the end of the certificate given out last; zero before the first.
func (a *ACME) NotAfter() time.Time {
	if s := a.until.Load(); s != 0 {
		return time.Unix(s, 0)
	}
	return time.Time{}
}
