package op

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// ErrUnknownClient is wrapped by Clients for whoever is no client, or no
// longer one.
var ErrUnknownClient = errors.New("op: unknown client")

// Client is a relying party as far as it is believed.
type Client = protocol.Client

// FromMember makes a Client of a member's resolved metadata; see
// protocol.FromMember.
func FromMember(m federation.Member, md trust.RPMetadata) (*Client, []string, error) {
	return protocol.FromMember(m, md)
}

// Registration is a static client as its operator describes it.
type Registration = protocol.Registration

// FromRegistration makes a Client of a Registration; see
// protocol.FromRegistration.
func FromRegistration(r Registration) (*Client, []string, error) {
	return protocol.FromRegistration(r)
}

// Clients finds relying parties: members by their verified chain, others by
// configuration. It is asked at every step, so that a lost membership counts
// at once. Errors: ErrUnknownClient; anything else is a passing fault.
type Clients interface {
	Client(ctx context.Context, id string) (*Client, error)
}

// ClientsFunc is a function as Clients.
type ClientsFunc func(ctx context.Context, id string) (*Client, error)

// Client implements Clients.
func (f ClientsFunc) Client(ctx context.Context, id string) (*Client, error) { return f(ctx, id) }

// Accounts are the provider's own; *account.Accounts is one.
type Accounts interface {
	Check(ctx context.Context, username, password, address string) (*account.Account, error)
	Get(ctx context.Context, id string) (*account.Account, error)
	MaxLevel() federation.Level
}

// Passkeys sign in to the provider's own accounts; *passkey.Keys is one.
type Passkeys interface {
	// Request returns what the browser is asked, as JSON, for a login that
	// only bind names.
	Request(bind string) ([]byte, error)
	// Check returns the ID of the account and how the person was seen, or an
	// error that wraps passkey.ErrRefused.
	Check(ctx context.Context, bind string, answer []byte) (account string, amr []string, err error)
}

// Upstream is a source of accounts elsewhere; *upstream.Upstream is one.
type Upstream interface {
	ID() string
	Choice() sso.UpstreamChoice
	Reaches(level federation.Level) bool
	Begin(ctx context.Context, r upstream.Request) (location string, p *upstream.Pending, err error)
	Finish(ctx context.Context, p *upstream.Pending, q url.Values) (*upstream.Person, error)
}

// Config of a provider.
type Config struct {
	Issuer    federation.EntityID // required
	Name      string              // legal name, in the metadata
	Keys      *trust.Keys         // required; the first active protocol key signs
	Store     store.Store         // required
	Clients   Clients             // required
	Accounts  Accounts            // nil: none of its own
	Passkeys  Passkeys            // of Accounts; nil: passwords only
	Upstreams []Upstream          // may be empty
	// Choose orders and narrows the upstreams for the login page of a client;
	// words, a place or a name, is what the person searches for, "" at first.
	// nil: all that reach the level, in their order.
	Choose func(level federation.Level, client, words string) []sso.UpstreamChoice
	// Standing is asked before anything at level hoch is handed to a member:
	// does its membership hold at this very moment? A chain only proves what was
	// true when it was signed [SSO.md §3]. Any error refuses. nil: not asked.
	Standing func(ctx context.Context, client string) error
	// Account is the path of the page to which linking returns; "": /konto.
	Account string
	Pages   sso.Pages // required
	// Salt makes pairwise subjects; at least 16 bytes, never changed. See OpenSalt.
	Salt []byte
	// HTTP sends back-channel logouts; it carries the address guard. Redirects
	// are never followed. Required.
	HTTP   *http.Client
	Secure bool // https: __Host- cookies
	Now    func() time.Time
	Log    *slog.Logger
}

// OP is the provider. It is safe for concurrent use.
type OP struct {
	c         Config
	ledger    *ledger.Ledger
	names     protocol.Names
	links     *upstream.Links
	upstreams map[string]Upstream
	reach     federation.Level
	http      *http.Client
	wake      chan struct{} // a logout has to be delivered again
	limit     limiter
}

const minSalt = 16

// New checks the configuration. It does no I/O.
func New(c Config) (*OP, error) {
	switch {
	case c.Issuer == "" || c.Keys == nil || len(c.Keys.Protocol) == 0:
		return nil, errors.New("op: Config needs Issuer and a protocol key")
	case c.Store == nil || c.Clients == nil || c.Pages == nil || c.HTTP == nil:
		return nil, errors.New("op: Config needs Store, Clients, Pages and HTTP")
	case len(c.Salt) < minSalt:
		return nil, fmt.Errorf("op: Config.Salt has %d bytes, at least %d are needed", len(c.Salt), minSalt)
	case c.Accounts == nil && len(c.Upstreams) == 0:
		return nil, errors.New("op: Config needs Accounts or Upstreams, or nobody can sign in")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Account == "" {
		c.Account = "/konto"
	}
	links, err := upstream.NewLinks(c.Store, c.Now)
	if err != nil {
		return nil, err
	}
	h := *c.HTTP
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o := &OP{
		c: c, ledger: ledger.New(c.Store, c.Now), names: protocol.Names{Salt: c.Salt}, links: links,
		upstreams: make(map[string]Upstream, len(c.Upstreams)), http: &h, wake: make(chan struct{}, 1),
	}
	for _, u := range c.Upstreams {
		if o.upstreams[u.ID()] != nil {
			return nil, fmt.Errorf("op: two upstreams with the ID %s", u.ID())
		}
		o.upstreams[u.ID()] = u
	}
	o.reach = o.reachable()
	return o, nil
}

// reachable is the highest level any source of accounts gives.
func (o *OP) reachable() federation.Level {
	highest := federation.LevelNone
	if o.c.Accounts != nil {
		highest = o.c.Accounts.MaxLevel()
	}
	for l := federation.LevelHoch; l > highest; l-- {
		for _, u := range o.c.Upstreams {
			if u.Reaches(l) {
				return l
			}
		}
	}
	return highest
}

// saltKey is where OpenSalt keeps the salt.
const saltKey = "op/salt"

// OpenSalt returns the salt that the store holds, and makes one at the first
// call. Whoever loses the store loses the accounts with it, so it is the right
// place; a backup of the store holds the salt.
func OpenSalt(ctx context.Context, st store.Store) ([]byte, error) {
	err := st.Create(ctx, saltKey, []byte(ledger.Random()), 0)
	if err != nil && !errors.Is(err, store.ErrExists) {
		return nil, err
	}
	return st.Get(ctx, saltKey)
}

// Handlers returns every endpoint by its path below the issuer.
func (o *OP) Handlers() map[string]http.Handler {
	return map[string]http.Handler{
		DiscoveryPath: http.HandlerFunc(o.Discovery),
		JWKSPath:      http.HandlerFunc(o.JWKS),
		PARPath:       http.HandlerFunc(o.PAR),
		AuthorizePath: http.HandlerFunc(o.Authorize),
		LoginPath:     http.HandlerFunc(o.Login),
		ReturnPath:    http.HandlerFunc(o.Return),
		LinkPath:      http.HandlerFunc(o.Link),
		ConfirmPath:   http.HandlerFunc(o.Confirm),
		TokenPath:     http.HandlerFunc(o.Token),
		UserinfoPath:  http.HandlerFunc(o.Userinfo),
		RevokePath:    http.HandlerFunc(o.Revoke),
		LogoutPath:    http.HandlerFunc(o.Logout),
	}
}
