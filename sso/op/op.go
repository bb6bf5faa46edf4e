package op

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
)

// Paths of the handlers below the issuer.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	JWKSPath      = "/op/jwks"
	PARPath       = "/op/par"
	AuthorizePath = "/op/authorize"
	LoginPath     = "/op/login"
	ConfirmPath   = "/op/confirm"
	TokenPath     = "/op/token"
	UserinfoPath  = "/op/userinfo"
	RevokePath    = "/op/revoke"
	LogoutPath    = "/op/logout"
)

// Lives of what the provider hands out.
const (
	parLife    = time.Minute
	codeLife   = time.Minute
	accessLife = 5 * time.Minute
	loginLife  = time.Hour // an account may have to be made upstream first
	idLife     = 10 * time.Minute
	jtiLife    = 10 * time.Minute
	skew       = time.Minute
)

// maxForm is the largest form body read, in bytes.
const maxForm = 64 << 10

// Accounts are the provider's own accounts.
type Accounts interface {
	// Check returns the account for a name and a password. Errors wrap
	// ErrPassword (which of the two was wrong is not said) or ErrLocked.
	// address tells callers apart for the limit on guesses.
	Check(ctx context.Context, username, password, address string) (Person, error)
	// Person returns an account by its ID, ErrPassword if it is gone or locked.
	Person(ctx context.Context, id string) (Person, error)
}

// Errors that Accounts and Clients return, wrapped.
var (
	ErrPassword      = errors.New("op: name or password is wrong")
	ErrLocked        = errors.New("op: too many attempts")
	ErrUnknownClient = errors.New("op: unknown client")
)

// Person is an account as the provider needs to know it.
type Person struct {
	ID     string           // stable, never shown to anybody
	Level  federation.Level // the most that a login with this account is worth
	Claims sso.Claims
}

// Clients tells who a client is. Implementations answer from verified
// membership or from the configuration, and open no connection.
type Clients interface {
	// Client returns a client or an error that wraps ErrUnknownClient.
	Client(ctx context.Context, id string) (*Client, error)
}

// Client is a relying party.
type Client struct {
	ID                     string
	Name                   string // legal name, for pages
	Federated              bool
	Keys                   trust.JWKS // protocol keys, for private_key_jwt and request objects
	SecretHash             []byte     // static clients with client_secret_basic: SHA-256 of the secret
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string // "": not told of logouts
	Sector                 string // host for pairwise subjects
}

// Config configures an OP.
type Config struct {
	Issuer   federation.EntityID
	Name     string
	Keys     *trust.Keys // the first protocol key signs
	Store    store.Store
	Clients  Clients
	Accounts Accounts
	Pages    sso.Pages
	HTTP     *http.Client // for back-channel logout; guarded, without redirects
	Salt     []byte       // at least 32 bytes, for pairwise subjects; a new one changes every subject
	Secure   bool         // https; false only on loopback names
	Audit    func(ctx context.Context, action, subject, reason string)
	Now      func() time.Time
	Log      *slog.Logger
}

// OP is the provider. Handlers are safe for concurrent use and keep nothing
// but what is in the store; Run repeats logouts that did not arrive.
type OP struct {
	c       Config
	retries chan logoutTask
}

// New checks the configuration; it does no I/O.
func New(c Config) (*OP, error) {
	switch {
	case c.Issuer == "" || c.Keys == nil || len(c.Keys.Protocol) == 0:
		return nil, errors.New("op: Config.Issuer and a protocol key are needed")
	case c.Store == nil || c.Clients == nil || c.Accounts == nil || c.Pages == nil || c.HTTP == nil:
		return nil, errors.New("op: Config.Store, Clients, Accounts, Pages and HTTP are needed")
	case len(c.Salt) < 32:
		return nil, fmt.Errorf("op: Config.Salt has %d bytes, at least 32 are needed", len(c.Salt))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Audit == nil {
		c.Audit = func(context.Context, string, string, string) {}
	}
	return &OP{c: c, retries: make(chan logoutTask, maxRetries)}, nil
}

// Metadata is what discovery document and entity configuration say; both are
// made from it, so that they cannot differ [OIDC Discovery §3].
func (o *OP) Metadata() trust.OPMetadata {
	keys := o.c.Keys.ProtocolJWKS()
	return trust.OPMetadata{
		Issuer: string(o.c.Issuer), OrganizationName: o.c.Name,
		AuthorizationEndpoint: o.c.Issuer.URL(AuthorizePath), TokenEndpoint: o.c.Issuer.URL(TokenPath),
		UserinfoEndpoint: o.c.Issuer.URL(UserinfoPath), JWKSURI: o.c.Issuer.URL(JWKSPath), JWKS: &keys,
		PAREndpoint: o.c.Issuer.URL(PARPath), RevocationEndpoint: o.c.Issuer.URL(RevokePath), EndSessionEndpoint: o.c.Issuer.URL(LogoutPath),
		ClientRegistrationTypesSupported: []string{"automatic"},
		ScopesSupported:                  []string{"openid", "profile", "email"},
		ResponseTypesSupported:           []string{"code"}, ResponseModesSupported: []string{"query"},
		GrantTypesSupported: []string{"authorization_code"},
		ACRValuesSupported:  acrValues(), SubjectTypesSupported: []string{"pairwise"},
		PromptValuesSupported: []string{"none", "login", "consent"}, UILocalesSupported: []string{"de", "en"},
		ClaimsSupported:                  []string{"sub", "name", "given_name", "family_name", "email", "locale", "acr", "amr", "auth_time"},
		IDTokenSigningAlgValuesSupported: []string{"ES256"}, RequestObjectSigningAlgSupported: []string{"ES256"},
		TokenEndpointAuthMethodsSupported: []string{"private_key_jwt", "client_secret_basic"},
		TokenEndpointAuthSigningAlgValues: []string{"ES256"}, CodeChallengeMethodsSupported: []string{"S256"},
		ClaimsParameterSupported: true, RequestParameterSupported: true, AuthorizationResponseIssSupported: true,
		BackchannelLogoutSupported: true, BackchannelLogoutSessionSupported: true,
	}
}

func acrValues() []string {
	var out []string
	for l := federation.LevelBasis; l <= federation.LevelHoch; l++ {
		out = append(out, l.ACR())
	}
	return out
}

// Handlers returns the endpoints by path below the issuer.
func (o *OP) Handlers() map[string]http.Handler {
	h := map[string]http.HandlerFunc{
		DiscoveryPath: o.discovery, JWKSPath: o.jwks, PARPath: o.par, AuthorizePath: o.authorize, LoginPath: o.login,
		ConfirmPath: o.confirm, TokenPath: o.token, UserinfoPath: o.userinfo, RevokePath: o.revoke, LogoutPath: o.logout,
	}
	out := make(map[string]http.Handler, len(h))
	for path, f := range h {
		out[path] = f
	}
	return out
}

func (o *OP) discovery(w http.ResponseWriter, _ *http.Request) {
	m := o.Metadata()
	m.JWKS = nil // jwks_uri is enough here
	answerPublic(w, m)
}

func (o *OP) jwks(w http.ResponseWriter, _ *http.Request) { answerPublic(w, o.c.Keys.ProtocolJWKS()) }
