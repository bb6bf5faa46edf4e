package testnet

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/testnet/ausweis"
)

// sourceOffset is where the account source listens above BasePort, below the
// first gossip port.
const sourceOffset = 99

// SourceName is how the account source is called on its button.
const SourceName = ausweis.Name

// source is the demonstration's account source of a higher level.
type source struct {
	issuer  federation.EntityID
	secret  string
	further map[*Member][]config.Upstream // of Spec.Upstreams
	srv     *http.Server
	done    chan error
}

// startSource serves the account source for every hub that runs a provider.
func (nw *Network) startSource() error {
	port := 0
	if nw.spec.BasePort > 0 {
		port = nw.spec.BasePort + max(sourceOffset, nw.spec.Members+10)
	}
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("%w: the account source cannot listen: %w", ErrSpec, err)
	}
	host := ausweis.ID + ".localhost"
	scheme := "http"
	port = ln.Addr().(*net.TCPAddr).Port
	if nw.ca != nil {
		scheme = "https"
		cert, err := nw.ca.issue(host)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12})
	}
	s := &source{issuer: federation.EntityID(scheme + "://" + host + ":" + strconv.Itoa(port)), secret: rand.Text() + rand.Text(), further: map[*Member][]config.Upstream{}, done: make(chan error, 1)}
	c := ausweis.Config{Issuer: s.issuer, HTTP: &http.Client{Transport: nw.Transport()}, Secure: nw.ca != nil, Log: nw.log.With("node", ausweis.ID)}
	for _, m := range nw.Members() {
		if m.runsProvider() {
			if nw.spec.Upstreams != nil {
				s.further[m] = nw.spec.Upstreams(m.Entity)
			}
			c.Clients = append(c.Clients, ausweis.Client{ID: m.Name, Name: m.Legal, Secret: s.secret, Hub: m.Entity})
		}
	}
	h, err := ausweis.New(c)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	s.srv = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	nw.source = s
	go func() { s.done <- s.srv.Serve(ln) }() // awaited by stop
	return nil
}

// stop ends the account source. It is idempotent and takes nil.
func (s *source) stop() error {
	if s == nil || s.srv == nil {
		return nil
	}
	err := s.srv.Close()
	if serr := <-s.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	s.srv = nil
	return err
}

// upstreams are the account sources that a hub's configuration names.
func (s *source) upstreams(m *Member) []config.Upstream {
	return append([]config.Upstream{{
		ID: ausweis.ID, Name: ausweis.Name, Issuer: string(s.issuer), ClientID: m.Name, SecretFile: m.dir("ausweis.secret"), Max: ausweis.Level,
	}}, s.further[m]...)
}

// runsProvider reports whether the member is an OpenID Provider.
func (m *Member) runsProvider() bool { return m.leads() && m.body.kind == federation.KindLandkreis }

// writeSecret gives a hub what it proves itself with at the source.
func (nw *Network) writeSecret(m *Member) error {
	if !m.runsProvider() {
		return nil
	}
	return os.WriteFile(m.dir("ausweis.secret"), []byte(nw.source.secret+"\n"), 0o600)
}
