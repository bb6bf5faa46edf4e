package ausweis

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/portal/web/static"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
)

// What the hubs are configured with.
const (
	ID     = "ausweis"                        // of the upstream
	Name   = "Online-Ausweis (Demonstration)" // on its button
	Person = "Demonstrationsperson"           // what its identity is called
	Level  = federation.LevelSubstanziell     // the most it vouches for
)

// salt is no secret: a network that is started again on its old data has to
// find the same person.
const salt = "rathausnetz demonstration"

// Client is a hub that may ask.
type Client struct {
	ID, Name, Secret string
	Hub              federation.EntityID
}

// Config of the stand-in.
type Config struct {
	Issuer  federation.EntityID
	Clients []Client
	HTTP    *http.Client
	Secure  bool
	Log     *slog.Logger
}

// New returns everything the stand-in answers. It remembers logins in memory.
func New(c Config) (http.Handler, error) {
	files, err := static.Load()
	if err != nil {
		return nil, err
	}
	key, err := trust.NewKey()
	if err != nil {
		return nil, err
	}
	clients := map[string]*op.Client{}
	var hubs []federation.EntityID
	for _, h := range c.Clients {
		r := op.Registration{
			ID: h.ID, Name: h.Name, Secret: h.Secret, Own: true,
			RedirectURIs: []string{op.ReturnURL(h.Hub, ID)}, PostLogoutRedirectURIs: []string{h.Hub.URL("/")},
		}
		if clients[h.ID], _, err = op.FromRegistration(r); err != nil {
			return nil, err
		}
		hubs = append(hubs, h.Hub)
	}
	provider, err := op.New(op.Config{
		Issuer: c.Issuer, Name: Name, Keys: &trust.Keys{Protocol: []*trust.Key{key}}, Store: store.NewMemory(nil), Salt: []byte(salt),
		Clients: op.ClientsFunc(func(_ context.Context, id string) (*op.Client, error) {
			if client := clients[id]; client != nil {
				return client, nil
			}
			return nil, fmt.Errorf("%w: %s", op.ErrUnknownClient, id)
		}),
		Accounts: card{}, Pages: &pages{files: files, hubs: hubs}, HTTP: c.HTTP, Secure: c.Secure, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for path, h := range provider.Handlers() {
		mux.Handle(path, h)
	}
	mux.Handle("GET "+static.Prefix+"{file}", files)
	return mux, nil
}

// card is the one account: whoever presses the button has it.
type card struct{}

func (card) account() *account.Account {
	return &account.Account{ID: "card", Username: ID, Level: Level, Claims: sso.Claims{Name: Person}}
}

// Check implements op.Accounts.
func (c card) Check(context.Context, string, string, string) (*account.Account, error) {
	return c.account(), nil
}

// Get implements op.Accounts.
func (c card) Get(context.Context, string) (*account.Account, error) { return c.account(), nil }

// MaxLevel implements op.Accounts.
func (card) MaxLevel() federation.Level { return Level }
