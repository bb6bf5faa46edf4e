package portal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/doctor"
)

const (
	examineStep = 10 * time.Second
	maxAnswer   = 256 << 10 // bytes of a document that is looked at
)

// Examine gathers what the doctor wants to know of a running node. It asks the
// own public address, the hub, and through the hub the way from outside.
func (n *Node) Examine(ctx context.Context) doctor.Node {
	s := n.Status()
	out := doctor.Node{Now: n.now(), Entity: n.cfg.Entity, State: s.State, Hub: s.Hub, Follows: n.cfg.Gossip.Follow, Source: n.current().cfg.Catalog.Source}
	out.StoreErr = text(n.ready(ctx))
	n.examineSelf(ctx, &out)
	if s.Hub != "" && s.Hub != n.cfg.Entity {
		n.examineHub(ctx, &out)
	}
	if err := n.publication.Load(); err != nil {
		out.PublicationErr = *err
	}
	net := n.network.Load()
	if net == nil {
		return out
	}
	if c, err := net.roster.Chain(n.cfg.Entity); err == nil {
		out.Expires = c.Expires
	}
	out.OPErr = text(n.examineProvider(ctx))
	for _, m := range s.Members {
		if m.Member == n.cfg.Entity {
			out.Offers = m.Offers
			continue
		}
		out.Others = append(out.Others, doctor.Other{Member: m.Member, Name: m.Name, Gossip: m.Gossip, Since: m.Since, Copy: string(m.Copy), Checked: m.Checked, Err: m.Error})
	}
	return out
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

// examineSelf asks who answers at the own public address.
func (n *Node) examineSelf(ctx context.Context, out *doctor.Node) {
	ctx, cancel := context.WithTimeout(ctx, examineStep)
	defer cancel()
	compact, err := trust.FetchConfiguration(ctx, n.outbound(forMembership), n.cfg.Entity)
	if err != nil {
		out.SelfErr = text(err)
		return
	}
	_, err = trust.Open(compact, trust.TypeStatement, n.currentKeys().FederationJWKS())
	out.Foreign = err != nil
}

// examineHub compares clock and keys with the hub, and has it look back.
func (n *Node) examineHub(ctx context.Context, out *doctor.Node) {
	skew, err := n.skew(ctx, out.Hub)
	if err != nil {
		out.HubErr = text(err)
		return
	}
	out.Skew = skew
	ticket := *n.member.get().Ticket
	ctx, cancel := context.WithTimeout(ctx, 3*examineStep)
	defer cancel()
	if _, err := n.client.Renew(ctx, ticket); errors.Is(err, anchor.ErrFingerprint) {
		out.HubKeyErr = text(err)
		return // whoever this is, nothing more is asked of it
	} else if err != nil && skew.Abs() < time.Minute {
		out.HubErr = text(err)
		return
	}
	reach, err := n.client.Probe(ctx, ticket)
	if err != nil {
		out.ReachErr = text(err)
		return
	}
	out.Reach = &reach
}

// skew is the own clock minus that of a peer, by the header Date of its
// answer, which has whole seconds.
func (n *Node) skew(ctx context.Context, id federation.EntityID) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, examineStep)
	defer cancel()
	begun := n.now()
	res, err := n.ask(ctx, id.URL("/healthz"))
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("its answer has no date: status %d", res.StatusCode)
	}
	middle := begun.Add(n.now().Sub(begun) / 2)
	return middle.Sub(date.Add(500 * time.Millisecond)), nil
}

func (n *Node) ask(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return n.outbound(forMembership).Do(req)
}

// examineProvider compares what the home provider says about itself with what
// its verified chain says [OIDC Discovery §4].
func (n *Node) examineProvider(ctx context.Context) error {
	home := providers{n}.Home()
	ctx, cancel := context.WithTimeout(ctx, examineStep)
	defer cancel()
	p, err := providers{n}.Provider(ctx, home)
	if err != nil {
		return err
	}
	res, err := n.ask(ctx, home.URL("/.well-known/openid-configuration"))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return err
	}
	var doc struct {
		Issuer        string `json:"issuer"`
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s has no metadata document: status %d", home, res.StatusCode)
	}
	switch {
	case doc.Issuer != string(home):
		return fmt.Errorf("the metadata of %s names another issuer", home)
	case doc.Authorization != p.AuthorizationEndpoint || doc.Token != p.TokenEndpoint:
		return fmt.Errorf("the endpoints in the metadata of %s are not those it is vouched for", home)
	}
	return nil
}

// lookAt is the hub's side: it connects to what is registered for a member,
// and says in a word how that went.
func (n *Node) lookAt(ctx context.Context, m anchor.Member) anchor.Reach {
	out := anchor.Reach{Heard: "unknown"}
	res, err := n.ask(ctx, m.ID.URL("/healthz"))
	out.Portal = word(err)
	if err == nil {
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			out.Portal = fmt.Sprintf("it answers with status %d", res.StatusCode)
		}
	}
	net := n.network.Load()
	if net == nil {
		return out
	}
	if p, ok := peersByEntity(net.discovery.Peers())[m.ID]; ok {
		out.Heard = p.State.String()
	}
	chain, err := net.roster.Chain(m.ID)
	if err != nil {
		return out // only what is verified is dialled
	}
	if addr, ok := chain.Metadata[trust.TypeEntity][gossipParameter].(string); ok && len(addr) < 300 {
		c, err := n.outboundGuard().DialContext(ctx, "tcp", addr)
		if out.Gossip = word(err); err == nil {
			c.Close()
		}
	}
	return out
}

// word says how a connection failed without naming what was seen on the way.
func word(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &dns):
		return "its name is not found"
	case errors.Is(err, trust.ErrAddress):
		return "its name points to an address that is not public"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection is refused"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "): // crypto/tls has no common type
		return "its certificate is not valid"
	}
	return "the connection fails"
}
