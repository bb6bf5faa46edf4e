package op

import (
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
	"rathausnetz/sso/op/protocol"
)

// The paths of the endpoints below the issuer.
const (
	DiscoveryPath = "/.well-known/openid-configuration"
	JWKSPath      = "/op/jwks"
	PARPath       = "/op/par"
	AuthorizePath = "/op/authorize"
	LoginPath     = "/op/login"
	ReturnPath    = "/op/rueckkehr/{id}" // {id} is the upstream's
	LinkPath      = "/op/verknuepfen"
	ConfirmPath   = "/op/confirm"
	TokenPath     = "/op/token"
	UserinfoPath  = "/op/userinfo"
	RevokePath    = "/op/revoke"
	LogoutPath    = "/op/logout"
)

// ReturnURL is the redirect URI to configure at and for an upstream.
func ReturnURL(issuer federation.EntityID, id string) string {
	return issuer.URL("/op/rueckkehr/" + id)
}

// Metadata returns what the provider says of itself, in its entity
// configuration and, equal to it, in the discovery document [OIDF §5.1.3].
func (o *OP) Metadata() trust.OPMetadata {
	id := o.c.Issuer
	keys := o.c.Keys.ProtocolJWKS()
	var acrs []string
	for l := federation.LevelBasis; l <= o.reach; l++ {
		acrs = append(acrs, l.ACR())
	}
	return trust.OPMetadata{
		Issuer:                            string(id),
		AuthorizationEndpoint:             id.URL(AuthorizePath),
		TokenEndpoint:                     id.URL(TokenPath),
		UserinfoEndpoint:                  id.URL(UserinfoPath),
		JWKSURI:                           id.URL(JWKSPath),
		JWKS:                              &keys,
		PAREndpoint:                       id.URL(PARPath),
		RevocationEndpoint:                id.URL(RevokePath),
		EndSessionEndpoint:                id.URL(LogoutPath),
		OrganizationName:                  o.c.Name,
		ClientRegistrationTypesSupported:  []string{"automatic"},
		ScopesSupported:                   []string{"openid", "profile", "email"},
		ResponseTypesSupported:            []string{"code"},
		ResponseModesSupported:            []string{"query"},
		GrantTypesSupported:               []string{"authorization_code"},
		ACRValuesSupported:                acrs,
		SubjectTypesSupported:             []string{"pairwise"},
		PromptValuesSupported:             []string{"none", "login", "consent", "select_account"},
		UILocalesSupported:                []string{"de", "en"},
		ClaimsSupported:                   append([]string{"sub", "iss", "auth_time", "acr", "amr", "sid"}, protocol.Personal()...),
		IDTokenSigningAlgValuesSupported:  []string{"ES256"},
		RequestObjectSigningAlgSupported:  []string{"ES256"},
		TokenEndpointAuthMethodsSupported: []string{"private_key_jwt", "client_secret_basic"},
		TokenEndpointAuthSigningAlgValues: []string{"ES256", "ES384", "PS256", "RS256", "EdDSA"},
		CodeChallengeMethodsSupported:     []string{"S256"},
		ClaimsParameterSupported:          true,
		RequestParameterSupported:         true,
		AuthorizationResponseIssSupported: true,
		BackchannelLogoutSupported:        true,
		BackchannelLogoutSessionSupported: true,
	}
}

// Discovery serves the discovery document [OIDC Discovery §4].
func (o *OP) Discovery(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	public(w)
	o.writeJSON(w, http.StatusOK, o.Metadata())
}

// JWKS serves the protocol keys, announced and retired ones too.
func (o *OP) JWKS(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	public(w)
	o.writeJSON(w, http.StatusOK, o.c.Keys.ProtocolJWKS())
}

// public allows any page to read the answer, for some minutes.
func public(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "public, max-age=300")
}
