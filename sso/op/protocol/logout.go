package protocol

import (
	"rathausnetz/federation/trust"
)

// Hint is what an ID token of this provider says when it is handed back.
type Hint struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	SID      string `json:"sid"`
}

// maxHintToken is the largest id_token_hint, in bytes.
const maxHintToken = 8 << 10

// ReadHint verifies an id_token_hint: our signature, our typ, our issuer. Its
// exp may have passed: a hint names a session, it proves no login
// [RPINIT §2].
func ReadHint(compact, issuer string, keys trust.JWKS) (*Hint, *Refusal) {
	t, err := trust.Door{MaxBytes: maxHintToken}.Open(compact, []string{typIDToken}, keys)
	if err != nil {
		return nil, refuse(InvalidRequest, "id_token_hint: "+reason(err))
	}
	var h Hint
	if t.Into(&h) != nil || h.Issuer != issuer || h.Audience == "" || h.Subject == "" {
		return nil, refuse(InvalidRequest, "id_token_hint: not an ID token of this issuer")
	}
	return &h, nil
}

// Logout is a checked logout request [RPINIT §2].
type Logout struct {
	Client string // "" = unknown
	SID    string // the session the hint names; "" = no valid hint
	Return string // proven post_logout_redirect_uri with state, may be ""
}

// CheckLogout judges the parameters. hint is nil without a valid one; client
// is the one that hint or client_id names, nil if unknown. Nothing is refused:
// what is not proven is left out, and the person is asked.
func CheckLogout(p Params, hint *Hint, client *Client) Logout {
	var l Logout
	if client == nil {
		return l
	}
	l.Client = client.ID
	if hint == nil || hint.Audience != client.ID {
		return l
	}
	l.SID = hint.SID
	if uri := p["post_logout_redirect_uri"]; client.ReturnsTo(uri) {
		l.Return = uri
		if s := p["state"]; s != "" && printable(s, maxState) {
			l.Return = AddQuery(uri, "state", s)
		}
	}
	return l
}
