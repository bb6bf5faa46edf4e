package protocol

// The error codes used, from RFC 6749 §4.1.2.1 and §5.2, OIDC §3.1.2.6,
// RFC 9101 §6, OIDF §12.1.3 and OpenID Connect unmet_authentication_requirements.
const (
	InvalidRequest       = "invalid_request"
	InvalidClient        = "invalid_client"
	InvalidGrant         = "invalid_grant"
	InvalidScope         = "invalid_scope"
	InvalidToken         = "invalid_token"
	InvalidRequestObject = "invalid_request_object"
	InvalidTrustChain    = "invalid_trust_chain"
	RequestURIUnknown    = "invalid_request_uri"
	RequestURIRefused    = "request_uri_not_supported"
	RegistrationRefused  = "registration_not_supported"
	UnsupportedResponse  = "unsupported_response_type"
	UnsupportedGrant     = "unsupported_grant_type"
	AccessDenied         = "access_denied"
	LoginRequired        = "login_required"
	ConsentRequired      = "consent_required"
	UnmetRequirements    = "unmet_authentication_requirements"
	Unavailable          = "temporarily_unavailable"
	ServerError          = "server_error"
)

// Refusal says why a request is not served.
type Refusal struct {
	Code string // one of the constants
	Why  string // for the log and error_description: no foreign text
	Back bool   // the client may be told by a redirect: its redirect URI is proven
}

// Error implements error.
func (r *Refusal) Error() string { return "op: " + r.Code + ": " + r.Why }

func refuse(code, why string) *Refusal { return &Refusal{Code: code, Why: why} }

func back(code, why string) *Refusal { return &Refusal{Code: code, Why: why, Back: true} }
