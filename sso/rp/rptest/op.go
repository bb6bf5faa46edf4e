package rptest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"rathausnetz/federation/trust"
)

// Client is one registered client.
type Client struct {
	ID           string
	RedirectURIs []string
	Keys         trust.JWKS // private_key_jwt; empty means client_secret_basic
	Secret       string
}

// Faults are what the provider does wrong. Every function may be nil; it
// changes what would have been sent. They run while the provider is locked.
type Faults struct {
	Answer   func(url.Values)                                 // authorization response
	IDToken  func(header, claims map[string]any)              // before signing
	Sign     func(header, claims map[string]any) (*Key, bool) // another key; false: as usual
	Raw      func(token string) string                        // the signed ID token
	Userinfo func(map[string]any)
	Instead  map[string]http.HandlerFunc // by path, e.g. "/jwks"
}

// Config configures an OP.
type Config struct {
	Addr    string // listen address, e.g. "127.0.0.1:0", which is the default
	Clients []Client
	NoPAR   bool // requests come in the front channel
	Now     func() time.Time
}

// OP is a provider that signs in Person whoever asks. Its exported fields may
// be changed between requests, inside Change.
type OP struct {
	Issuer string
	srv    *httptest.Server
	now    func() time.Time
	noPAR  bool

	mu      sync.Mutex // guards everything below
	Clients []Client
	Subject string
	SID     string
	ACR     string // "" means: as asked
	AMR     []string
	Claims  map[string]any // userinfo
	AuthAge time.Duration  // how long ago the person signed in
	Keys    []*Key         // the first one signs
	Faults  Faults
	pushed  map[string]url.Values
	codes   map[string]url.Values
	tokens  map[string]url.Values
	jtis    map[string]bool
	seen    map[string]int
	last    url.Values
}

// Start listens and serves until Close.
func Start(c Config) (*OP, error) {
	k, err := NewES256("op-1")
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	o := &OP{
		now: c.Now, noPAR: c.NoPAR, Clients: c.Clients,
		Subject: "pairwise-erika", SID: "sid-erika", AMR: []string{"pwd"}, Keys: []*Key{k},
		Claims: map[string]any{"name": "Erika Mustermann", "given_name": "Erika", "family_name": "Mustermann"},
		pushed: map[string]url.Values{}, codes: map[string]url.Values{}, tokens: map[string]url.Values{},
		jtis: map[string]bool{}, seen: map[string]int{},
	}
	o.srv = httptest.NewUnstartedServer(http.HandlerFunc(o.serve))
	if c.Addr != "" {
		l, err := net.Listen("tcp", c.Addr)
		if err != nil {
			return nil, errors.Join(err, o.srv.Listener.Close())
		}
		if err := o.srv.Listener.Close(); err != nil {
			return nil, err
		}
		o.srv.Listener = l
	}
	o.srv.Start()
	o.Issuer = o.srv.URL
	return o, nil
}

// Close stops the provider.
func (o *OP) Close() { o.srv.Close() }

// Change runs f while no request is served.
func (o *OP) Change(f func(*OP)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(o)
}

// Seen returns how often path was asked for.
func (o *OP) Seen(path string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.seen[path]
}

// Last returns the last authorization request.
func (o *OP) Last() url.Values {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// JWKS returns the published keys.
func (o *OP) JWKS() ([]byte, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.jwks()
}

func (o *OP) jwks() ([]byte, error) {
	keys := []map[string]any{}
	for _, k := range o.Keys {
		j, err := k.JWK()
		if err != nil {
			return nil, err
		}
		keys = append(keys, j)
	}
	return json.Marshal(map[string]any{"keys": keys})
}

// Metadata returns the discovery document's values.
func (o *OP) Metadata() trust.OPMetadata {
	par := o.Issuer + "/par"
	if o.noPAR {
		par = ""
	}
	return trust.OPMetadata{
		Issuer: o.Issuer, AuthorizationEndpoint: o.Issuer + "/authorize", TokenEndpoint: o.Issuer + "/token",
		PAREndpoint: par, UserinfoEndpoint: o.Issuer + "/userinfo", JWKSURI: o.Issuer + "/jwks",
		EndSessionEndpoint: o.Issuer + "/end", AuthorizationResponseIssSupported: true, ClaimsParameterSupported: true,
		IDTokenSigningAlgValuesSupported: []string{"ES256", "RS256"},
	}
}

// LogoutToken makes a logout token for client; change may spoil it.
func (o *OP) LogoutToken(client string, change func(header, claims map[string]any)) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	header := map[string]any{"alg": o.Keys[0].Algorithm(), "kid": o.Keys[0].ID, "typ": "logout+jwt"}
	claims := map[string]any{
		"iss": o.Issuer, "aud": client, "iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"jti": rand.Text(), "sid": o.SID, "sub": o.Subject,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if change != nil {
		change(header, claims)
	}
	return o.Keys[0].Token(header, claims)
}

func (o *OP) client(id string) *Client {
	for i := range o.Clients {
		if o.Clients[i].ID == id {
			return &o.Clients[i]
		}
	}
	return nil
}
