package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"rathausnetz/config"
	"rathausnetz/federation"
)

// Machine is what was seen on the machine of a node.
type Machine struct {
	Now     time.Time
	Data    string
	DataErr string   // why the node cannot write there; "" if it can
	Free    int64    // bytes; negative: not known
	Open    []string // secret files that others than their owner can read
	Missing []string // secret files that are not there, or cannot be read

	Host    string // of the public address; "" for a trial on this machine
	Addrs   []netip.Addr
	NameErr string
	Private []netip.Addr // of Addrs: special-use ones that are not allowed

	Cert *Certificate // nil: TLS is ended by a reverse proxy
}

// Certificate is that of the listener.
type Certificate struct {
	Err      string
	NotAfter time.Time
	Covers   bool // the public name
}

// Look gathers the facts of this machine. special says whether an address is
// one that no node calls.
func Look(ctx context.Context, cfg config.Config, now time.Time, resolver *net.Resolver, special func(netip.Addr) bool) *Machine {
	m := &Machine{Now: now, Data: cfg.Data, Free: free(cfg.Data)}
	m.lookAtFiles(cfg)
	host := cfg.Entity.Host()
	if !federation.IsLoopbackHost(host) {
		m.Host = host
		m.lookUp(ctx, cfg, resolver, special)
	}
	if cfg.TLS.Cert != "" {
		m.Cert = lookAtCertificate(cfg, host)
	}
	return m
}

func (m *Machine) lookAtFiles(cfg config.Config) {
	probe, err := os.CreateTemp(cfg.Data, ".doctor-*")
	if err != nil {
		m.DataErr = reason(err)
	} else {
		_ = probe.Close() // nothing was written
		if err := os.Remove(probe.Name()); err != nil {
			m.DataErr = reason(err)
		}
	}
	secrets := []string{filepath.Join(cfg.Data, "keys", "federation.jwks"), filepath.Join(cfg.Data, "keys", "protocol.jwks")}
	for _, f := range cfg.Files() {
		if f.Secret {
			secrets = append(secrets, f.Path)
		}
	}
	for _, p := range secrets {
		if f, err := os.Open(p); err != nil {
			m.Missing = append(m.Missing, fmt.Sprintf("%s (%s)", p, reason(err)))
			continue
		} else if err := f.Close(); err != nil {
			m.Missing = append(m.Missing, fmt.Sprintf("%s (%s)", p, reason(err)))
		}
	}
	for _, name := range []string{"membership.json", "store.db"} { // made by the node when it needs them
		secrets = append(secrets, filepath.Join(cfg.Data, name))
	}
	for _, p := range secrets {
		if info, err := os.Stat(p); err == nil && info.Mode().Perm()&0o077 != 0 {
			m.Open = append(m.Open, p)
		}
	}
}

// reason is an error without the path it repeats.
func reason(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

func (m *Machine) lookUp(ctx context.Context, cfg config.Config, resolver *net.Resolver, special func(netip.Addr) bool) {
	if a, err := netip.ParseAddr(m.Host); err == nil {
		m.Addrs = []netip.Addr{a}
	} else {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if m.Addrs, err = resolver.LookupNetIP(ctx, "ip", m.Host); err != nil {
			m.NameErr = err.Error()
			return
		}
	}
	for _, a := range m.Addrs {
		a = a.Unmap()
		allowed := false
		for _, p := range cfg.Outbound.Allow {
			allowed = allowed || p.Contains(a)
		}
		if special(a) && !allowed {
			m.Private = append(m.Private, a)
		}
	}
}

func lookAtCertificate(cfg config.Config, host string) *Certificate {
	pair, err := tls.LoadX509KeyPair(cfg.TLS.Cert, cfg.TLS.Key)
	if err != nil {
		return &Certificate{Err: err.Error()}
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return &Certificate{Err: err.Error()}
	}
	return &Certificate{NotAfter: leaf.NotAfter, Covers: leaf.VerifyHostname(host) == nil}
}

func free(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * st.Bsize
}

func (r *report) files(m *Machine) {
	good := true
	if m.DataErr != "" {
		good = false
		r.bad(Failure, "data folder", "give the folder to the user that the node runs as: chown -R rathausnetz: "+m.Data, "%s cannot be written: %s", m.Data, m.DataErr)
	}
	if len(m.Missing) > 0 {
		good = false
		r.bad(Failure, "secrets", "put them back from a backup (rathausnetz restore), or make new ones for a new node (rathausnetz init)", "cannot be read: %s", names(m.Missing))
	}
	if len(m.Open) > 0 {
		good = false
		r.bad(Failure, "permissions", "chmod 600 "+m.Open[0], "secrets that others on this machine can read: %s", names(m.Open))
	}
	if good {
		r.ok("files", "data folder and secrets are there, and nobody else reads them")
	}
}

func (r *report) disk(m *Machine) {
	const remedy = "make room on the disk of the data folder, or move it to a larger one"
	switch {
	case m.Free < 0:
	case m.Free < diskFailure:
		r.bad(Failure, "disk", remedy, "%d MiB are free in %s", m.Free>>20, m.Data)
	case m.Free < diskWarning:
		r.bad(Warning, "disk", remedy, "only %d MiB are free in %s", m.Free>>20, m.Data)
	default:
		r.ok("disk", "%d GiB are free", m.Free>>30)
	}
}

func (r *report) name(m *Machine) {
	switch {
	case m.Host == "":
		r.ok("name", "a trial on this machine, nothing to look up")
	case m.NameErr != "" || len(m.Addrs) == 0:
		r.bad(Failure, "name", "enter the name in the DNS, with the public address of the portal", "%s is not found: %s", m.Host, m.NameErr)
	case len(m.Private) > 0:
		r.bad(Failure, "name", "have the name point to a public address from everywhere, or set outbound.allow at every node", "%s points to %s, which no node calls", m.Host, m.Private[0].Unmap())
	default:
		r.ok("name", "%s points to %s", m.Host, m.Addrs[0].Unmap())
	}
}

func (r *report) certificate(m *Machine) {
	c := m.Cert
	const remedy = "renew the certificate, put it into the files of tls.cert and tls.key, and run: rathausnetz reload"
	switch {
	case c == nil:
	case c.Err != "":
		r.bad(Failure, "certificate", "name a certificate and the key that belongs to it in tls.cert and tls.key", "it cannot be used: %s", c.Err)
	case !c.Covers:
		r.bad(Failure, "certificate", "get a certificate for the name in entity", "it is not for the public name of the node")
	case !c.NotAfter.After(m.Now):
		r.bad(Failure, "certificate", remedy, "it ended on %s", c.NotAfter.Format(time.DateOnly))
	case c.NotAfter.Sub(m.Now) < certWarning:
		r.bad(Warning, "certificate", remedy, "it ends on %s", c.NotAfter.Format(time.DateOnly))
	default:
		r.ok("certificate", "good until %s", c.NotAfter.Format(time.DateOnly))
	}
}
