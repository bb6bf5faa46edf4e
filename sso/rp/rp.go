package rp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/allowance"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/rp/provider"
	"rathausnetz/sso/session"
)

// Paths of the handlers below the entity ID. CallbackPath is followed by the
// name of an issuer, see IssuerHash.
const (
	LoginPath       = "/anmelden"
	CallbackPath    = "/anmelden/rueckkehr/"
	InitiatePath    = "/anmelden/start"
	BackchannelPath = "/anmelden/abmeldung"
	LogoutPath      = "/abmelden"
)

// ErrUnknownProvider is what Providers returns for an issuer that the network
// does not vouch for.
var ErrUnknownProvider = errors.New("rp: no such provider in this network")

// Provider is what the network has verified about one OpenID Provider.
type Provider = provider.Metadata

// Providers tells which OpenID Providers there are. Implementations answer
// from verified membership and are safe for concurrent use.
type Providers interface {
	// Provider returns the provider with its current endpoints and keys, or an
	// error that wraps ErrUnknownProvider. For an issuer that is not a member
	// it must not open any connection [SSO.md §10 G101].
	Provider(ctx context.Context, issuer federation.EntityID) (*Provider, error)
	// Issuers returns all of them, in any order.
	Issuers() []federation.EntityID
	// Home returns the one that is used when nothing else is said.
	Home() federation.EntityID
}

// FromMetadata builds a Provider from resolved federation metadata. chain is
// our own trust chain for the trust_chain header and may be nil.
func FromMetadata(m trust.OPMetadata, chain []string) *Provider {
	p := &Provider{
		Issuer: m.Issuer, Name: m.OrganizationName,
		AuthorizationEndpoint: m.AuthorizationEndpoint, TokenEndpoint: m.TokenEndpoint,
		PAREndpoint: m.PAREndpoint, UserinfoEndpoint: m.UserinfoEndpoint,
		EndSessionEndpoint: m.EndSessionEndpoint, JWKSURI: m.JWKSURI,
		SendsIss: m.AuthorizationResponseIssSupported, TakesClaims: m.ClaimsParameterSupported,
		TrustChain: chain,
	}
	if m.JWKS != nil {
		p.Keys = *m.JWKS
	}
	return p
}

// Config configures an RP.
type Config struct {
	Self      federation.EntityID // client_id and origin of every URI
	Name      string              // client_name
	Keys      *trust.Keys         // the protocol key that is active signs
	Sessions  *session.Manager
	Providers Providers
	HTTP      *http.Client // carries the address guard and the CA pool
	Store     store.Store
	Pages     sso.Pages
	// Targets are the path prefixes of this portal to which a login may
	// return, each beginning with a slash; nil means every page.
	Targets []string
	Scope   string // nil: "openid profile"
	// LoginsPerMinute is how many logins one address may begin, with as many
	// at once; 0 means 120. An IPv6 /64 counts as one address.
	LoginsPerMinute int
	Secure          bool             // https; false only on loopback names
	Now             func() time.Time // nil: time.Now
	Log             *slog.Logger     // nil: discard
}

// RP is the relying party of one portal. All handlers are safe for concurrent
// use and share nothing but the store and the count of logins.
type RP struct {
	c      Config
	client *provider.Client
	logins *allowance.Allowance[netip.Prefix] // begun, by address
}

// New checks the configuration. It does no I/O.
func New(c Config) (*RP, error) {
	if _, err := federation.ParseEntityID(string(c.Self), !c.Secure); err != nil {
		return nil, fmt.Errorf("rp: Config.Self: %w", err)
	}
	if c.Keys == nil || len(c.Keys.Protocol) == 0 {
		return nil, errors.New("rp: Config.Keys has no protocol key")
	}
	if c.Sessions == nil || c.Providers == nil || c.Store == nil || c.Pages == nil {
		return nil, errors.New("rp: Config.Sessions, Providers, Store and Pages are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Scope == "" {
		c.Scope = "openid profile"
	}
	if c.LoginsPerMinute <= 0 {
		c.LoginsPerMinute = 120
	}
	client, err := provider.New(provider.Config{
		HTTP: c.HTTP, ClientID: string(c.Self),
		Key:      func(now time.Time) *trust.Key { return c.Keys.At(now).Protocol[0] },
		Loopback: !c.Secure, Now: c.Now, Log: c.Log,
	})
	if err != nil {
		return nil, err
	}
	return &RP{c: c, client: client, logins: allowance.New[netip.Prefix](c.LoginsPerMinute, time.Minute, c.Now)}, nil
}

// IssuerHash is the last part of the callback path: 22 characters that name
// the issuer, so that an answer of one provider cannot be taken for that of
// another one [RFC 9700 §4.4].
func IssuerHash(issuer federation.EntityID) string {
	sum := sha256.Sum256([]byte(issuer))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func (r *RP) redirectURI(issuer federation.EntityID) string {
	return r.c.Self.URL(CallbackPath + IssuerHash(issuer))
}

// Metadata returns the openid_relying_party metadata for the entity
// configuration [OIDF §5.1.2]. It names one redirect URI per known provider
// and changes when Providers does.
func (r *RP) Metadata() trust.RPMetadata {
	keys := r.c.Keys.ProtocolJWKS()
	m := trust.RPMetadata{
		ClientRegistrationTypes: []string{"automatic"},
		ClientName:              r.c.Name, OrganizationName: r.c.Name,
		ApplicationType:        "web",
		PostLogoutRedirectURIs: []string{r.c.Self.URL(LogoutPath)},
		ResponseTypes:          []string{"code"},
		GrantTypes:             []string{"authorization_code"},
		Scope:                  r.c.Scope, SubjectType: "pairwise",
		IDTokenSignedResponseAlg: "ES256",
		TokenEndpointAuthMethod:  "private_key_jwt", TokenEndpointAuthSigningAlg: "ES256",
		RequirePAR:                       true,
		InitiateLoginURI:                 r.c.Self.URL(InitiatePath),
		BackchannelLogoutURI:             r.c.Self.URL(BackchannelPath),
		BackchannelLogoutSessionRequired: true,
		JWKS:                             &keys,
	}
	for _, iss := range r.c.Providers.Issuers() {
		m.RedirectURIs = append(m.RedirectURIs, r.redirectURI(iss))
	}
	slices.Sort(m.RedirectURIs)
	return m
}

// FormTargets returns the origins of all providers, sorted: a page with the
// logout form needs them in the form-action of its Content-Security-Policy,
// because browsers apply it to the redirect that follows a form.
func (r *RP) FormTargets() []string {
	var out []string
	for _, iss := range r.c.Providers.Issuers() {
		if o := iss.Origin(); !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	slices.Sort(out)
	return out
}

// provider returns the verified provider of issuer and refuses metadata that
// breaks a rule of this profile.
func (r *RP) provider(ctx context.Context, issuer federation.EntityID) (*Provider, error) {
	p, err := r.c.Providers.Provider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	if p.Issuer != string(issuer) {
		return nil, fmt.Errorf("%w: issuer differs from the entity ID %s", provider.ErrMetadata, issuer)
	}
	if p.PAREndpoint == "" {
		return nil, fmt.Errorf("%w: %s has no pushed_authorization_request_endpoint", provider.ErrMetadata, issuer)
	}
	return p, p.Check(!r.c.Secure)
}

// harden sets the headers that every answer of this package carries: nothing
// is cached, and no code or state leaks by Referer [RFC 9700 §4.2.4].
func harden(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
}
