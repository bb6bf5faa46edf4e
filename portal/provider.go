package portal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
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
	static, err := n.staticClients()
	if err != nil {
		return err
	}
	c := op.Config{
		Issuer: n.cfg.Entity, Name: n.portal.Name, Keys: n.keys, Store: n.store, Clients: clients{n, static}, Accounts: n.accounts,
		Pages: n.web, Salt: salt, HTTP: n.http, Secure: n.secure(), Now: n.now, Log: n.log,
	}
	n.passkeys, err = passkey.New(passkey.Config{Store: n.store, Issuer: n.cfg.Entity, Name: n.portal.Name, Secret: salt, Now: n.now, Log: n.log})
	switch {
	case err == nil:
		c.Passkeys = n.passkeys
	case !errors.Is(err, passkey.ErrHost): // an address instead of a name: passwords only
		return err
	}
	n.op, err = op.New(c)
	return err
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
	n      *Node
	static map[string]*op.Client
}

// Client implements op.Clients.
func (c clients) Client(ctx context.Context, id string) (*op.Client, error) {
	if s, ok := c.static[id]; ok {
		return s, nil
	}
	c.n.settle(ctx)
	chain, err := (members{c.n}).Chain(federation.EntityID(id))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", op.ErrUnknownClient, err)
	}
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

func (n *Node) staticClients() (map[string]*op.Client, error) {
	out := map[string]*op.Client{}
	for _, c := range n.cfg.OP.Clients {
		client := &op.Client{ID: c.ID, Name: c.Name, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs}
		if client.Name == "" {
			client.Name = c.ID
		}
		if c.SecretFile != "" {
			b, err := os.ReadFile(c.SecretFile)
			if err != nil {
				return nil, fmt.Errorf("op.clients: %w", err)
			}
			client.SecretDigest = sha256.Sum256([]byte(strings.TrimSpace(string(b))))
		}
		out[c.ID] = client
	}
	return out, nil
}
