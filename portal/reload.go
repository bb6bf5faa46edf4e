package portal

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"rathausnetz/config"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/metrics"
	"rathausnetz/portal/web/brand"
	"rathausnetz/sso/op"
)

// settings is what a reload replaces as a whole; one is never changed. What a
// running node cannot take over is not in it but in Node.cfg.
type settings struct {
	cfg     config.Config // read only the keys of config.Reloadable from it
	portal  Portal
	brand   brand.Brand
	leika   *leika.Register       // nil: keys are not checked against a register
	clients map[string]*op.Client // static ones, by ID
}

// current is what holds now.
func (n *Node) current() *settings { return n.live.Load() }

func (n *Node) openSettings() error {
	s, err := n.prepare(n.cfg)
	if err != nil {
		return err
	}
	n.live.Store(s)
	n.began = s.portal
	return nil
}

// prepare reads everything that cfg names and changes nothing.
func (n *Node) prepare(cfg config.Config) (*settings, error) {
	s := &settings{cfg: cfg}
	var errs [3]error
	s.portal, s.brand, errs[0] = n.readBrand(cfg)
	s.leika, errs[1] = OpenLeika(n.cfg.Data, cfg.Register.Leika)
	if cfg.OP.Enabled {
		s.clients, errs[2] = n.staticClients(cfg)
	}
	return s, errors.Join(errs[:]...)
}

func (n *Node) readBrand(cfg config.Config) (Portal, brand.Brand, error) {
	switch {
	case n.opt.Portal != nil:
		return *n.opt.Portal, *n.opt.Brand, nil
	case cfg.Portal.File == "":
		p := Portal{Name: cfg.Entity.Host(), ShortName: cfg.Entity.Host()}
		return p, brand.Brand{Name: p.Name, ShortName: p.ShortName, Color: brand.MustColor("#175c3a"), Greeting: "Willkommen"}, nil
	}
	return ReadPortal(os.DirFS(filepath.Dir(cfg.Portal.File)), filepath.Base(cfg.Portal.File))
}

// outboundGuard keeps whatever the node fetches away from special-use
// addresses, by the settings of the moment a connection is made.
func (n *Node) outboundGuard() trust.Guard {
	return trust.Guard{AllowLoopback: n.cfg.LoopbackHTTP, AllowNow: func() []netip.Prefix { return n.current().cfg.Outbound.Allow }}
}

// Reloaded says what a reload has changed, by key of the configuration.
type Reloaded struct {
	Changed []string `json:"changed"`
	Restart []string `json:"restart"` // changed in the file, but only a restart brings it about
}

// Reload reads the configuration anew, with Options.Load, and takes over what can change while the
// node runs. If anything in it is wrong, nothing changes: the old one stays,
// the log says why, and the error is returned. Files that the configuration
// names (portal file, secrets, certificates, registers of keys) are read anew
// even if it is the same.
func (n *Node) Reload() (Reloaded, error) {
	n.say(n.opt.Service.Reloading())
	defer func() { n.say(n.opt.Service.Ready(n.oneLine())) }()
	n.reloading.Lock()
	defer n.reloading.Unlock()
	var out Reloaded
	cfg, err := n.current().cfg, error(nil)
	if n.opt.Load != nil {
		cfg, err = n.opt.Load()
	}
	if err == nil {
		out, err = n.take(cfg)
	}
	if err != nil {
		n.metrics.Reloaded(metrics.ResultRefused)
		n.log.Error("configuration not reloaded, the old one stays", "err", err)
		return out, err
	}
	n.metrics.Reloaded(metrics.ResultOK)
	n.log.Info("configuration reloaded", "changed", strings.Join(out.Changed, " "))
	if len(out.Restart) > 0 {
		n.log.Warn("changed in the configuration, needs a restart", "keys", strings.Join(out.Restart, " "))
	}
	return out, nil
}

// take checks everything first and then swaps; called with reloading held.
func (n *Node) take(cfg config.Config) (Reloaded, error) {
	var out Reloaded
	next, err := n.prepare(cfg)
	if err != nil {
		return out, err
	}
	files := n.certs != nil && cfg.TLS.Cert != ""
	if files {
		if err := n.certs.Use(cfg.TLS.Cert, cfg.TLS.Key); err != nil {
			return out, err
		}
	}
	if err := n.branding.Configured(next.brand); err != nil {
		return out, fmt.Errorf("%w: %w", ErrPortalFile, err)
	}
	old := n.current()
	n.live.Store(next)
	can := func(key string) bool { return config.Reloadable(key) && (files || !strings.HasPrefix(key, "tls.")) }
	for _, key := range config.Changes(old.cfg, cfg) {
		if can(key) {
			out.Changed = append(out.Changed, key)
		}
	}
	for _, key := range config.Changes(n.cfg, cfg) { // since the start
		if !can(key) {
			out.Restart = append(out.Restart, key)
		}
	}
	if p, was := next.portal, n.began; p.Name != was.Name || p.Home != was.Home || p.Network != was.Network {
		out.Restart = append(out.Restart, "name, home or network in "+filepath.Base(cfg.Portal.File))
	}
	n.statements.forget()
	n.http.CloseIdleConnections() // outbound.allow may have become stricter
	n.patient.CloseIdleConnections()
	wake(n.publisher.again)
	if n.opt.OnReload != nil {
		n.opt.OnReload(cfg)
	}
	return out, nil
}
