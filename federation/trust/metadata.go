package trust

import (
	"encoding/json"
	"fmt"
)

// Entity types used as keys of metadata [OIDF §5.1].
const (
	TypeRP     = "openid_relying_party"
	TypeOP     = "openid_provider"
	TypeEntity = "federation_entity"
)

// Metadata is the metadata claim of a statement, or the resolved metadata of a
// chain: entity type → parameter → JSON value. Chains own theirs: treat it as
// read-only.
type Metadata map[string]map[string]any

// RP returns the openid_relying_party metadata; ok is false if there is none.
// A value of an unexpected JSON type is an error (ErrMetadata).
func (m Metadata) RP() (rp RPMetadata, ok bool, err error) {
	ok, err = m.into(TypeRP, &rp)
	return rp, ok, err
}

// OP returns the openid_provider metadata; see RP.
func (m Metadata) OP() (op OPMetadata, ok bool, err error) {
	ok, err = m.into(TypeOP, &op)
	return op, ok, err
}

// Entity returns the federation_entity metadata; see RP.
func (m Metadata) Entity() (e EntityMetadata, ok bool, err error) {
	ok, err = m.into(TypeEntity, &e)
	return e, ok, err
}

func (m Metadata) into(typ string, v any) (bool, error) {
	values, ok := m[typ]
	if !ok {
		return false, nil
	}
	b, err := json.Marshal(values)
	if err != nil {
		return true, fmt.Errorf("%w: %s: %w", ErrMetadata, typ, err)
	}
	if err := decode(b, v); err != nil {
		return true, fmt.Errorf("%w: %s: %w", ErrMetadata, typ, err)
	}
	return true, nil
}

// Set puts a typed metadata object (RPMetadata, OPMetadata, EntityMetadata or
// a map) under its entity type.
func (m Metadata) Set(typ string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMetadata, typ, err)
	}
	var values map[string]any
	if err := decode(b, &values); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMetadata, typ, err)
	}
	m[typ] = values
	return nil
}

// RPMetadata is the metadata of a relying party [OIDF §5.1.2], [OIDC Registration §2].
type RPMetadata struct {
	ClientRegistrationTypes          []string `json:"client_registration_types,omitempty"`
	ClientName                       string   `json:"client_name,omitempty"`
	OrganizationName                 string   `json:"organization_name,omitempty"`
	Contacts                         []string `json:"contacts,omitempty"`
	LogoURI                          string   `json:"logo_uri,omitempty"`
	PolicyURI                        string   `json:"policy_uri,omitempty"`
	ApplicationType                  string   `json:"application_type,omitempty"`
	RedirectURIs                     []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs           []string `json:"post_logout_redirect_uris,omitempty"`
	ResponseTypes                    []string `json:"response_types,omitempty"`
	GrantTypes                       []string `json:"grant_types,omitempty"`
	Scope                            string   `json:"scope,omitempty"`
	SubjectType                      string   `json:"subject_type,omitempty"`
	SectorIdentifierURI              string   `json:"sector_identifier_uri,omitempty"`
	IDTokenSignedResponseAlg         string   `json:"id_token_signed_response_alg,omitempty"`
	RequestObjectSigningAlg          string   `json:"request_object_signing_alg,omitempty"`
	TokenEndpointAuthMethod          string   `json:"token_endpoint_auth_method,omitempty"`
	TokenEndpointAuthSigningAlg      string   `json:"token_endpoint_auth_signing_alg,omitempty"`
	RequirePAR                       bool     `json:"require_pushed_authorization_requests,omitempty"`
	RequireSignedRequestObject       bool     `json:"require_signed_request_object,omitempty"`
	DefaultACRValues                 []string `json:"default_acr_values,omitempty"`
	InitiateLoginURI                 string   `json:"initiate_login_uri,omitempty"`
	BackchannelLogoutURI             string   `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired bool     `json:"backchannel_logout_session_required,omitempty"`
	JWKS                             *JWKS    `json:"jwks,omitempty"`
	JWKSURI                          string   `json:"jwks_uri,omitempty"`
}

// OPMetadata is the metadata of an OpenID Provider [OIDF §5.1.3],
// [OIDC Discovery §3], [RFC 8414 §2].
type OPMetadata struct {
	Issuer                            string   `json:"issuer,omitempty"`
	AuthorizationEndpoint             string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint                     string   `json:"token_endpoint,omitempty"`
	UserinfoEndpoint                  string   `json:"userinfo_endpoint,omitempty"`
	JWKSURI                           string   `json:"jwks_uri,omitempty"`
	JWKS                              *JWKS    `json:"jwks,omitempty"`
	PAREndpoint                       string   `json:"pushed_authorization_request_endpoint,omitempty"`
	RevocationEndpoint                string   `json:"revocation_endpoint,omitempty"`
	EndSessionEndpoint                string   `json:"end_session_endpoint,omitempty"`
	OrganizationName                  string   `json:"organization_name,omitempty"`
	LogoURI                           string   `json:"logo_uri,omitempty"`
	ClientRegistrationTypesSupported  []string `json:"client_registration_types_supported,omitempty"`
	ScopesSupported                   []string `json:"scopes_supported,omitempty"`
	ResponseTypesSupported            []string `json:"response_types_supported,omitempty"`
	ResponseModesSupported            []string `json:"response_modes_supported,omitempty"`
	GrantTypesSupported               []string `json:"grant_types_supported,omitempty"`
	ACRValuesSupported                []string `json:"acr_values_supported,omitempty"`
	SubjectTypesSupported             []string `json:"subject_types_supported,omitempty"`
	PromptValuesSupported             []string `json:"prompt_values_supported,omitempty"`
	UILocalesSupported                []string `json:"ui_locales_supported,omitempty"`
	ClaimsSupported                   []string `json:"claims_supported,omitempty"`
	IDTokenSigningAlgValuesSupported  []string `json:"id_token_signing_alg_values_supported,omitempty"`
	RequestObjectSigningAlgSupported  []string `json:"request_object_signing_alg_values_supported,omitempty"`
	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	TokenEndpointAuthSigningAlgValues []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethodsSupported     []string `json:"code_challenge_methods_supported,omitempty"`
	ClaimsParameterSupported          bool     `json:"claims_parameter_supported"`
	RequestParameterSupported         bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported      bool     `json:"request_uri_parameter_supported"`
	RequirePAR                        bool     `json:"require_pushed_authorization_requests"`
	RequireSignedRequestObject        bool     `json:"require_signed_request_object"`
	AuthorizationResponseIssSupported bool     `json:"authorization_response_iss_parameter_supported"`
	BackchannelLogoutSupported        bool     `json:"backchannel_logout_supported"`
	BackchannelLogoutSessionSupported bool     `json:"backchannel_logout_session_supported"`
}

// EntityMetadata is the federation_entity metadata [OIDF §5.1.1, §5.2.2]. The
// endpoints must have the origin of the entity ID.
type EntityMetadata struct {
	OrganizationName        string   `json:"organization_name,omitempty"`
	DisplayName             string   `json:"display_name,omitempty"`
	Contacts                []string `json:"contacts,omitempty"`
	Phone                   string   `json:"phone,omitempty"` // of this network: for "fragen Sie nach"
	LogoURI                 string   `json:"logo_uri,omitempty"`
	PolicyURI               string   `json:"policy_uri,omitempty"`
	OrganizationURI         string   `json:"organization_uri,omitempty"`
	FetchEndpoint           string   `json:"federation_fetch_endpoint,omitempty"`
	ListEndpoint            string   `json:"federation_list_endpoint,omitempty"`
	ResolveEndpoint         string   `json:"federation_resolve_endpoint,omitempty"`
	TrustMarkEndpoint       string   `json:"federation_trust_mark_endpoint,omitempty"`
	TrustMarkStatusEndpoint string   `json:"federation_trust_mark_status_endpoint,omitempty"`
	TrustMarkListEndpoint   string   `json:"federation_trust_mark_list_endpoint,omitempty"`
	HistoricalKeysEndpoint  string   `json:"federation_historical_keys_endpoint,omitempty"`
}
