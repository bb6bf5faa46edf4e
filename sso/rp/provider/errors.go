package provider

import "errors"

// Why a provider or what it said is refused. Token errors of federation/trust
// (ErrType, ErrAlgorithm, ErrUnknownKey, ErrSignature, ErrClaims, ErrExpired,
// ErrNotYet, ErrToken) are passed on, wrapped.
var (
	ErrMetadata    = errors.New("provider: metadata not usable")
	ErrUnreachable = errors.New("provider: no answer")
	ErrAnswer      = errors.New("provider: answer not usable")
	ErrKeys        = errors.New("provider: key set not usable")
	ErrClaim       = errors.New("provider: token verification") // go-oidc refused: iss, aud, exp, events
	ErrIssuer      = errors.New("provider: token of another issuer")
	ErrAudience    = errors.New("provider: token for another client")
	ErrAzp         = errors.New("provider: azp names another client")
	ErrSubject     = errors.New("provider: sub missing or malformed")
	ErrIssuedAt    = errors.New("provider: iat missing, in the future or too old")
	ErrNonce       = errors.New("provider: nonce wrong or absent")
	ErrAuthTime    = errors.New("provider: auth_time missing, in the future or too old")
	ErrAtHash      = errors.New("provider: at_hash does not match the access token")
	ErrUserinfo    = errors.New("provider: userinfo of another subject")
	ErrEvent       = errors.New("provider: not a back-channel logout event")
	ErrSID         = errors.New("provider: logout token without sid")
)

// OAuthError is an error answer of an endpoint [RFC 6749 §5.2].
type OAuthError struct {
	Endpoint string // "token", "par"
	Status   int    // HTTP status
	Code     string // e.g. invalid_grant; "" if the body was no OAuth error
}

// Error implements error. The description of the answer is left out: it is
// foreign text.
func (e *OAuthError) Error() string {
	code := e.Code
	if code == "" {
		code = "no error code"
	}
	return "provider: " + e.Endpoint + " endpoint refused: " + code
}
