package protocol

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"rathausnetz/federation/trust"
)

// Registration is a static client as the operator of the provider describes it.
type Registration struct {
	ID, Name string
	Secret   string     // client_secret_basic; or
	Keys     trust.JWKS // private_key_jwt

	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string
	Own                    bool
}

// minSecret is how long a secret is that nobody guesses, in bytes: 128 bits in
// hexadecimal digits.
const minSecret = 32

// FromRegistration makes a client of what the operator says. Warnings name
// what works but is worse than it could be. Errors wrap ErrClient.
func FromRegistration(r Registration) (c *Client, warnings []string, err error) {
	c = &Client{
		ID: r.ID, Name: r.Name, Keys: r.Keys, RedirectURIs: r.RedirectURIs, PostLogoutRedirectURIs: r.PostLogoutRedirectURIs,
		BackchannelLogoutURI: r.BackchannelLogoutURI, Own: r.Own,
	}
	if c.Name == "" {
		c.Name = r.ID
	}
	switch {
	case (r.Secret == "") == (r.Keys.Keys() == 0):
		return nil, nil, fmt.Errorf("%w: %s: either a secret or keys are needed", ErrClient, r.ID)
	case len(r.RedirectURIs) == 0 || len(r.RedirectURIs) > maxURIs || len(r.PostLogoutRedirectURIs) > maxURIs:
		return nil, nil, fmt.Errorf("%w: %s: %d redirect URIs, 1 to %d are allowed", ErrClient, r.ID, len(r.RedirectURIs), maxURIs)
	}
	uris := slices.Concat(r.RedirectURIs, r.PostLogoutRedirectURIs)
	if r.BackchannelLogoutURI != "" {
		uris = append(uris, r.BackchannelLogoutURI)
	}
	for _, uri := range uris {
		if !CleanURI(uri) {
			return nil, nil, fmt.Errorf("%w: %s: %q cannot be registered", ErrClient, r.ID, uri)
		}
	}
	if r.Secret != "" {
		c.SecretDigest = sha256.Sum256([]byte(r.Secret))
		if len(r.Secret) < minSecret {
			warnings = append(warnings, fmt.Sprintf("the secret has %d characters; make one with: openssl rand -hex 32", len(r.Secret)))
		}
	}
	if r.BackchannelLogoutURI == "" {
		warnings = append(warnings, "backchannel_logout_uri is missing: the service stays signed in after a logout elsewhere, and the logout page says so")
	}
	if len(r.PostLogoutRedirectURIs) == 0 {
		warnings = append(warnings, "post_logout_redirect_uris is missing: a logout that the service begins ends at this portal")
	}
	return c, warnings, nil
}
