package protocol

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Errors of a client's metadata.
var (
	ErrClient = errors.New("op: client metadata not usable")
	ErrSector = errors.New("op: sector_identifier_uri of a foreign host")
)

// Client is a relying party as far as it is believed: from its verified trust
// chain, or from the operator's configuration.
type Client struct {
	ID        string
	Name      string // legal name, shown on the information page
	Federated bool   // automatic registration: pushed or signed requests only [OIDF §12.1]

	Keys         trust.JWKS        // protocol keys for private_key_jwt and request objects
	SecretDigest [sha256.Size]byte // of client_secret, static clients only; zero: none

	RedirectURIs           []string // compared byte by byte
	PostLogoutRedirectURIs []string
	BackchannelLogoutURI   string // empty: not told of a logout
	// Sector is what the pairwise subject is made for; empty: ID. The entity ID
	// stands for the sector of a member, so that a change of redirect host
	// changes nobody's subject (a narrowing of OIDC §8.1, which takes a host).
	Sector string
	// Own is a static client of the operator of this provider itself: nothing
	// is handed to anybody else, so there is no information page.
	Own bool
	// Claims are the personal data it may receive; nil: all that this provider has.
	Claims []string
}

// HasSecret reports whether the client may use client_secret_basic.
func (c *Client) HasSecret() bool { return !c.Federated && c.SecretDigest != [sha256.Size]byte{} }

// CheckSecret compares in constant time.
func (c *Client) CheckSecret(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return c.HasSecret() && subtle.ConstantTimeCompare(sum[:], c.SecretDigest[:]) == 1
}

// Redirects reports whether uri is registered: byte for byte, no pattern, no
// normalisation [RFC 9700 §2.1].
func (c *Client) Redirects(uri string) bool { return uri != "" && slices.Contains(c.RedirectURIs, uri) }

// ReturnsTo reports whether uri is a registered post_logout_redirect_uri.
func (c *Client) ReturnsTo(uri string) bool {
	return uri != "" && slices.Contains(c.PostLogoutRedirectURIs, uri)
}

// SectorOf returns Sector, or ID where it is empty.
func (c *Client) SectorOf() string {
	if c.Sector != "" {
		return c.Sector
	}
	return c.ID
}

// maxURIs is how many redirect URIs one client may register.
const maxURIs = 20

// FromMember makes a client of a member's resolved metadata. Warnings name
// fields that were dropped: a backchannel_logout_uri of another origin would
// let a member send our POSTs to strangers [SSO.md §8]. Errors wrap ErrClient.
func FromMember(m federation.Member, md trust.RPMetadata) (c *Client, warnings []string, err error) {
	c = &Client{ID: string(m.ID), Name: m.Name, Federated: true}
	if c.Name == "" {
		c.Name = m.ID.Host()
	}
	if md.JWKS == nil || md.JWKS.Keys() == 0 {
		return nil, nil, fmt.Errorf("%w: %s: no jwks by value", ErrClient, m.ID)
	}
	c.Keys = *md.JWKS
	if s := md.SectorIdentifierURI; s != "" && !sameOrigin(s, m.ID) {
		return nil, nil, fmt.Errorf("%w: %w: %s", ErrClient, ErrSector, m.ID)
	}
	if n := len(md.RedirectURIs); n == 0 || n > maxURIs || len(md.PostLogoutRedirectURIs) > maxURIs {
		return nil, nil, fmt.Errorf("%w: %s: %d redirect URIs, 1 to %d are allowed", ErrClient, m.ID, n, maxURIs)
	}
	for _, uri := range md.RedirectURIs {
		if !sameOrigin(uri, m.ID) {
			warnings = append(warnings, "redirect_uris: "+uri+" is not at the entity ID")
			continue
		}
		c.RedirectURIs = append(c.RedirectURIs, uri)
	}
	for _, uri := range md.PostLogoutRedirectURIs {
		if !sameOrigin(uri, m.ID) {
			warnings = append(warnings, "post_logout_redirect_uris: "+uri+" is not at the entity ID")
			continue
		}
		c.PostLogoutRedirectURIs = append(c.PostLogoutRedirectURIs, uri)
	}
	if uri := md.BackchannelLogoutURI; uri != "" {
		if sameOrigin(uri, m.ID) {
			c.BackchannelLogoutURI = uri
		} else {
			warnings = append(warnings, "backchannel_logout_uri: not at the entity ID")
		}
	}
	if len(c.RedirectURIs) == 0 {
		return nil, warnings, fmt.Errorf("%w: %s: no redirect URI at the entity ID", ErrClient, m.ID)
	}
	return c, warnings, nil
}

// sameOrigin reports whether uri is plain and has scheme, host and port of the
// entity ID.
func sameOrigin(uri string, id federation.EntityID) bool {
	return CleanURI(uri) && federation.EntityID(uri).Origin() == id.Origin()
}

// CleanURI reports whether a URI may be registered: https, or http on a
// loopback name; a host; no user part, fragment, backslash or control byte.
func CleanURI(uri string) bool {
	if len(uri) > 2048 || strings.ContainsAny(uri, "\\#") || !printable(uri, 2048) || strings.Contains(uri, " ") {
		return false
	}
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && federation.IsLoopbackHost(u.Hostname())
}
