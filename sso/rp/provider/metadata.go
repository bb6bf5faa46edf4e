package provider

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Metadata is what a client needs to know about one provider. For members of
// the network the portal fills it from verified federation metadata; for an
// upstream it comes from Discover.
type Metadata struct {
	Issuer string
	Name   string // for pages; may be empty

	AuthorizationEndpoint string
	TokenEndpoint         string
	PAREndpoint           string // may be empty: no pushed requests
	UserinfoEndpoint      string // may be empty
	EndSessionEndpoint    string // may be empty
	JWKSURI               string // may be empty if Keys is not

	Keys       trust.JWKS // keys known without a fetch, from federation metadata
	Algorithms []string   // of ID tokens and logout tokens; nil means ES256
	Origins    []string   // origins besides the issuer's that endpoints may have
	TrustChain []string   // our chain, for the trust_chain header; may be empty

	// SendsIss says that authorization responses carry iss [RFC 9207 §3].
	SendsIss bool
	// TakesClaims says that the claims parameter is understood [OIDC §5.5].
	TakesClaims bool
}

// maxURL is the longest endpoint accepted, in bytes.
const maxURL = 2048

// asymmetric are the algorithms a configuration may allow.
var asymmetric = [...]string{"ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA"}

// Check refuses metadata with a missing endpoint, an endpoint on a foreign
// origin, plain http except on loopback names where loopback allows it, or an
// algorithm that is not asymmetric [SSO.md §10 G99]. Errors wrap ErrMetadata.
func (m *Metadata) Check(loopback bool) error {
	origin, err := originOf(m.Issuer, loopback)
	if err != nil {
		return fmt.Errorf("issuer %q: %w", m.Issuer, err)
	}
	for _, e := range []struct {
		name, url string
		required  bool
	}{
		{"authorization_endpoint", m.AuthorizationEndpoint, true},
		{"token_endpoint", m.TokenEndpoint, true},
		{"pushed_authorization_request_endpoint", m.PAREndpoint, false},
		{"userinfo_endpoint", m.UserinfoEndpoint, false},
		{"end_session_endpoint", m.EndSessionEndpoint, false},
		{"jwks_uri", m.JWKSURI, m.Keys.Keys() == 0},
	} {
		if e.url == "" && !e.required {
			continue
		}
		o, err := originOf(e.url, loopback)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", e.name, m.Issuer, err)
		}
		if o != origin && !slices.Contains(m.Origins, o) {
			return fmt.Errorf("%w: %s of %s is on another origin: %s", ErrMetadata, e.name, m.Issuer, o)
		}
	}
	for _, a := range m.Algorithms {
		if !slices.Contains(asymmetric[:], a) {
			return fmt.Errorf("%w: algorithm %q of %s", ErrMetadata, a, m.Issuer)
		}
	}
	return nil
}

func originOf(s string, loopback bool) (string, error) {
	u, err := url.Parse(s)
	switch {
	case s == "" || len(s) > maxURL || err != nil || u.Host == "":
		return "", fmt.Errorf("%w: no absolute URL", ErrMetadata)
	case u.User != nil || u.Fragment != "":
		return "", fmt.Errorf("%w: user part or fragment in a URL", ErrMetadata)
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback && federation.IsLoopbackHost(u.Hostname()):
	default:
		return "", fmt.Errorf("%w: %s is not allowed here", ErrMetadata, u.Scheme)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func (m *Metadata) algorithms() []string {
	if len(m.Algorithms) == 0 {
		return []string{"ES256"}
	}
	return m.Algorithms
}

// discovery is the part of a discovery document that is used.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	PAR           string   `json:"pushed_authorization_request_endpoint"`
	Userinfo      string   `json:"userinfo_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	JWKS          string   `json:"jwks_uri"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Claims        bool     `json:"claims_parameter_supported"`
	Iss           bool     `json:"authorization_response_iss_parameter_supported"`
}

// Discover reads the provider's discovery document [OIDC Discovery §4]. Its
// issuer must equal issuer byte for byte, and every endpoint must pass Check
// with these extra origins. Of the signature algorithms it offers, the
// asymmetric ones are kept. Errors wrap ErrMetadata or ErrUnreachable.
func (c *Client) Discover(ctx context.Context, issuer string, origins ...string) (*Metadata, error) {
	if _, err := originOf(issuer, c.c.Loopback); err != nil {
		return nil, fmt.Errorf("issuer %q: %w", issuer, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	a, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK || !a.isJSON() {
		return nil, fmt.Errorf("%w: discovery of %s: status %d, %s", ErrUnreachable, issuer, a.status, a.media)
	}
	var d discovery
	if err := trust.Decode(a.body, &d); err != nil {
		return nil, fmt.Errorf("%w: discovery of %s: %w", ErrMetadata, issuer, err)
	}
	if d.Issuer != issuer {
		return nil, fmt.Errorf("%w: discovery of %s names another issuer", ErrMetadata, issuer)
	}
	m := &Metadata{
		Issuer: issuer, AuthorizationEndpoint: d.Authorization, TokenEndpoint: d.Token, PAREndpoint: d.PAR,
		UserinfoEndpoint: d.Userinfo, EndSessionEndpoint: d.EndSession, JWKSURI: d.JWKS,
		Origins: origins, SendsIss: d.Iss, TakesClaims: d.Claims,
	}
	for _, alg := range d.Algorithms {
		if slices.Contains(asymmetric[:], alg) {
			m.Algorithms = append(m.Algorithms, alg)
		}
	}
	if len(m.Algorithms) == 0 {
		return nil, fmt.Errorf("%w: %s offers no asymmetric signature", ErrMetadata, issuer)
	}
	return m, m.Check(c.c.Loopback)
}
