package portal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/control"
	"rathausnetz/portal/links"
)

func (n *Node) openLinks() (err error) {
	n.links, err = links.New(links.Config{
		Self: n.cfg.Entity, HTTP: newVisitor(n.outboundGuard(), n.opt.Roots), Store: n.store, Catalogue: n.published,
		Every: n.cfg.Links.Every, Pause: n.cfg.Links.Pause, Zone: localZone(), Now: n.now, Log: n.log,
	})
	return err
}

// published is the own catalogue as it is in force, nil if there is none.
func (n *Node) published() *catalog.Catalogue {
	c, ok := n.mirror.Copy(n.cfg.Entity)
	if !ok {
		return nil
	}
	return c.Catalogue
}

// newVisitor is the client of the link checker: guarded like the other one,
// but it asks once and leaves no connections open at other people's servers.
func newVisitor(guard trust.Guard, roots *x509.CertPool) *http.Client {
	t := guard.Transport(nil)
	t.DisableKeepAlives = true
	t.MaxResponseHeaderBytes = 32 << 10
	if roots != nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	return &http.Client{Transport: t, CheckRedirect: stay, Timeout: 2 * outboundTimeout}
}

// localZone is where the days of editors and citizens begin.
func localZone() *time.Location {
	z, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return time.FixedZone("MEZ", 3600)
	}
	return z
}

// CheckLinks makes one round of the link checker as if it were now, and
// returns how many links were judged. A node with links.every does so by
// itself.
func (n *Node) CheckLinks(ctx context.Context, now time.Time) (int, error) {
	return n.links.Round(ctx, now)
}

func (n *Node) linkVerbs(v map[string]control.Verb) {
	v["links"] = control.Handle(func(ctx context.Context, _ struct{}) ([]links.Row, error) { return n.links.Rows(ctx) })
}
