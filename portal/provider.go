package portal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
	"rathausnetz/sso/op/passkey"
)

// openProvider makes this node an OpenID Provider with accounts of its own.
func (n *Node) openProvider() error {
	var err error
	if n.accounts, err = account.New(account.Config{Store: n.store, Now: n.now, Log: n.log}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	salt, err := op.OpenSalt(ctx, n.store)
	if err != nil {
		return err
	}
	sources, err := n.openUpstreams()
	if err != nil {
		return err
	}
	c := op.Config{
		Issuer: n.cfg.Entity, Name: n.began.Name, Keys: n.keys, Store: n.store, Clients: clients{n, &sync.Map{}}, Accounts: n.accounts,
		Choose: n.choose(sources), Standing: n.standing, Account: desk.LinksPath,
		Pages: n.web, Salt: salt, HTTP: n.outbound(forSignOn), Secure: n.secure(), Now: n.now, Log: n.log,
	}
	for _, u := range sources.All() {
		c.Upstreams = append(c.Upstreams, u)
	}
	n.passkeys, err = passkey.New(passkey.Config{Store: n.store, Issuer: n.cfg.Entity, Name: n.began.Name, Secret: salt, Now: n.now, Log: n.log})
	switch {
	case err == nil:
		c.Passkeys = n.passkeys
	case !errors.Is(err, passkey.ErrHost): // an address instead of a name: passwords only
		return err
	}
	if n.op, err = op.New(c); err != nil {
		return err
	}
	return n.openDesk()
}

func (n *Node) providerRoutes() []route {
	var out []route
	for path, h := range n.op.Handlers() {
		out = append(out, route{both, path, h})
	}
	return out
}

// clients tells the provider who may ask it: members by their verified chain,
// and the static clients of the configuration. It opens no connection.
type clients struct {
	n    *Node
	seen *sync.Map // ID → seenClient
}

// Client implements op.Clients.
func (c clients) Client(ctx context.Context, id string) (*op.Client, error) {
	if s, ok := c.n.current().clients[id]; ok {
		return s, nil
	}
	c.n.settle(ctx)
	chain, err := (members{c.n}).Chain(federation.EntityID(id))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", op.ErrUnknownClient, err)
	}
	if known, ok := c.seen.Load(id); ok && known.(seenClient).chain == chain {
		return known.(seenClient).client, nil
	}
	client, err := c.fromChain(id, chain)
	if err == nil {
		c.seen.Store(id, seenClient{chain, client})
	}
	return client, err
}

// seenClient is what was made of a chain. A chain is never changed: a new one
// takes its place when anything about a member changes.
type seenClient struct {
	chain  *trust.Chain
	client *op.Client
}

func (c clients) fromChain(id string, chain *trust.Chain) (*op.Client, error) {
	m, err := chain.Member()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", op.ErrUnknownClient, err)
	}
	md, ok, err := chain.Metadata.RP()
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: %s is no relying party", op.ErrUnknownClient, id)
	}
	client, warnings, err := op.FromMember(m, md)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", op.ErrUnknownClient, err)
	}
	for _, w := range warnings {
		c.n.log.Warn("part of a member's metadata is not used", "peer", id, "err", w)
	}
	return client, nil
}

func (n *Node) staticClients(cfg config.Config) (map[string]*op.Client, error) {
	out := map[string]*op.Client{}
	for _, c := range cfg.OP.Clients {
		r := op.Registration{
			ID: c.ID, Name: c.Name, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
			BackchannelLogoutURI: c.BackchannelLogoutURI, Own: c.Own,
		}
		var err error
		if c.SecretFile != "" {
			r.Secret, err = secret(c.SecretFile)
		} else {
			r.Keys, err = keySet(c.JWKSFile)
		}
		if err != nil {
			return nil, fmt.Errorf("op.clients: %s: %w", c.ID, err)
		}
		client, warnings, err := op.FromRegistration(r)
		if err != nil {
			return nil, fmt.Errorf("op.clients: %w", err)
		}
		for _, w := range warnings {
			n.log.Warn("static client could be set up better", "peer", c.ID, "err", w)
		}
		out[c.ID] = client
	}
	return out, nil
}

func keySet(path string) (trust.JWKS, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return trust.JWKS{}, err
	}
	return trust.ParseJWKS(b)
}
