package provider

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation/trust"
)

// Userinfo holds the claims of the userinfo endpoint by name.
type Userinfo map[string]json.RawMessage

// Text returns a string claim without control characters and cut to 200
// characters; "" if it is absent or no string.
func (u Userinfo) Text(name string) string {
	raw, there := u[name]
	if !there || len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || !utf8.ValidString(s) {
		return ""
	}
	const most = 200
	out := make([]rune, 0, min(len(s), most))
	for _, r := range s {
		if len(out) == most {
			break
		}
		if unicode.IsGraphic(r) {
			out = append(out, r)
		}
	}
	return string(out)
}

// Userinfo asks for the released claims [OIDC §5.3]. The answer must be plain
// JSON and its sub that of the ID token; otherwise nothing of it is used
// (ErrUserinfo) [SSO.md §10 G100]. Without an endpoint it returns nil.
func (c *Client) Userinfo(ctx context.Context, m *Metadata, accessToken, subject string) (Userinfo, error) {
	if m.UserinfoEndpoint == "" {
		return nil, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.UserinfoEndpoint, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	a, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK || !a.isJSON() {
		return nil, fmt.Errorf("%w: userinfo endpoint of %s: status %d, %s", ErrAnswer, m.Issuer, a.status, a.media)
	}
	var u Userinfo
	if err := trust.Decode(a.body, &u); err != nil {
		return nil, fmt.Errorf("%w: userinfo endpoint of %s: %w", ErrAnswer, m.Issuer, err)
	}
	var sub struct {
		V string `json:"sub"`
	}
	if err := trust.Decode(a.body, &sub); err != nil || subtle.ConstantTimeCompare([]byte(sub.V), []byte(subject)) != 1 {
		return nil, ErrUserinfo
	}
	return u, nil
}
