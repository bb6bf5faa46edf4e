package op

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"rathausnetz/federation/trust"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

// Token redeems a code [OIDC §3.1.3]. A code works once: the first attempt
// spends it whatever comes of it, a second one also ends the access token of
// the first [RFC 6749 §4.1.2].
func (o *OP) Token(w http.ResponseWriter, r *http.Request) {
	harden(w)
	w.Header().Set("Pragma", "no-cache")
	if !allow(w, r, http.MethodPost) {
		return
	}
	p, err := form(w, r)
	if err != nil {
		o.jsonError(w, r, "", err)
		return
	}
	answer, err := o.redeem(r, p)
	if err != nil {
		o.jsonError(w, r, p["client_id"], err)
		return
	}
	o.writeJSON(w, http.StatusOK, answer)
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	IDToken     string `json:"id_token"`
	Scope       string `json:"scope"`
}

func (o *OP) redeem(r *http.Request, p protocol.Params) (*tokenAnswer, error) {
	ctx := r.Context()
	c, err := o.authenticate(r, p, protocol.InvalidClient)
	if err != nil {
		return nil, err
	}
	switch {
	case p["grant_type"] == "":
		return nil, refusal(protocol.InvalidRequest, "grant_type is missing")
	case p["grant_type"] != "authorization_code":
		return nil, refusal(protocol.UnsupportedGrant, "grant_type must be authorization_code")
	case p["code"] == "":
		return nil, refusal(protocol.InvalidRequest, "code is missing")
	}
	access := ledger.Random()
	code, err := o.spend(ctx, c, p, access)
	if err != nil {
		return nil, err
	}
	return o.tokens(r, c, code, access)
}

// spend uses a code up and writes the access token that it gives, in one go: a
// store that syncs to disk is waited for once. The token is known to nobody
// until then, and whoever was not the first to use the code takes it back.
func (o *OP) spend(ctx context.Context, c *Client, p protocol.Params, access string) (*protocol.Code, error) {
	code, err := o.ledger.Code(ctx, p["code"])
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return nil, refusal(protocol.InvalidGrant, "code unknown or expired")
	case err != nil:
		return nil, err
	}
	why := o.redeemable(ctx, c, p, code)
	var bad *protocol.Refusal
	if why != nil && !errors.As(why, &bad) {
		return nil, why // a passing fault: the code may be tried again
	}
	var first bool
	writes := []func() error{func() (err error) {
		code, first, err = o.ledger.Spend(ctx, p["code"], access)
		return err
	}}
	if why == nil {
		token := ledger.Token{Client: c.ID, Session: code.Session, Account: code.Account, Subject: code.Subject, Claims: code.Claims}
		writes = append(writes, func() error {
			err := o.ledger.PutToken(ctx, access, token)
			if errors.Is(err, ledger.ErrReplay) {
				// The code was used again already. This caller was the first and
				// gets its answer, but the access token in it is dead.
				return nil
			}
			return err
		})
	}
	err = ledger.Together(writes...)
	switch {
	case errors.Is(err, ledger.ErrUnknown):
		return nil, refusal(protocol.InvalidGrant, "code unknown or expired")
	case err != nil:
		return nil, err
	case !first:
		return nil, errors.Join(refusal(protocol.InvalidGrant, "code used twice; its tokens are revoked"), o.ledger.Kill(ctx, code.Token), o.ledger.Revoke(ctx, access))
	}
	return code, why
}

// redeemable judges an attempt to use a code; what is wrong with it spends the
// code all the same.
func (o *OP) redeemable(ctx context.Context, c *Client, p protocol.Params, code *protocol.Code) error {
	if bad := protocol.Redeem(code, c.ID, p, o.c.Now()); bad != nil {
		return bad
	}
	_, err := o.ledger.SessionByKey(ctx, code.Session)
	if errors.Is(err, ledger.ErrUnknown) {
		return refusal(protocol.InvalidGrant, "the person has logged out meanwhile")
	}
	return err
}

func (o *OP) tokens(r *http.Request, c *Client, code *protocol.Code, access string) (*tokenAnswer, error) {
	now := o.c.Now()
	half := sha256.Sum256([]byte(access))
	claims := idClaims{
		Issuer: string(o.c.Issuer), Subject: code.Subject, Audience: c.ID,
		Expires: trust.At(now.Add(ledger.TokenLife)), IssuedAt: trust.At(now), AuthTime: code.AuthTime,
		Nonce: code.Nonce, ACR: code.Level.ACR(), AMR: code.AMR, SID: code.SID,
		AccessHash: base64.RawURLEncoding.EncodeToString(half[:16]),
	}
	id, err := trust.Sign(o.signer(), protocol.TypIDToken, claims)
	if err != nil {
		return nil, err
	}
	o.c.Log.InfoContext(r.Context(), "tokens issued", "peer", c.ID)
	return &tokenAnswer{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: int(ledger.TokenLife.Seconds()), IDToken: id, Scope: "openid",
	}, nil
}

// signer is the protocol key that is active now.
func (o *OP) signer() *trust.Key { return o.c.Keys.At(o.c.Now()).Protocol[0] }

// idClaims is the ID token [OIDC §2]. Personal data are never in it.
type idClaims struct {
	Issuer     string        `json:"iss"`
	Subject    string        `json:"sub"`
	Audience   string        `json:"aud"`
	Expires    trust.Seconds `json:"exp"`
	IssuedAt   trust.Seconds `json:"iat"`
	AuthTime   int64         `json:"auth_time"`
	Nonce      string        `json:"nonce,omitempty"`
	ACR        string        `json:"acr"`
	AMR        []string      `json:"amr,omitempty"`
	SID        string        `json:"sid"`
	AccessHash string        `json:"at_hash"`
}

// Userinfo returns the claims that were released to the client, as long as the
// session lives [OIDC §5.3]. A token in the query is not read.
func (o *OP) Userinfo(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	token, err := o.bearer(w, r)
	if err != nil {
		o.jsonError(w, r, "", err)
		return
	}
	claims, client, err := o.userinfo(r, token)
	var bad *protocol.Refusal
	if errors.As(err, &bad) {
		o.event(r.Context(), http.StatusUnauthorized, "access token refused", client, err)
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		o.writeJSON(w, http.StatusUnauthorized, map[string]string{"error": protocol.InvalidToken, "error_description": bad.Why})
		return
	}
	if err != nil {
		o.jsonError(w, r, client, err)
		return
	}
	o.writeJSON(w, http.StatusOK, claims)
}

// bearer finds the access token in the header, or in the body of a POST
// [RFC 6750 §2].
func (o *OP) bearer(w http.ResponseWriter, r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), nil
	}
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		return "", nil
	}
	p, err := form(w, r)
	return p["access_token"], err
}

func (o *OP) userinfo(r *http.Request, token string) (claims map[string]string, client string, err error) {
	ctx := r.Context()
	bad := refusal(protocol.InvalidToken, "access token missing, unknown or expired")
	if token == "" {
		return nil, "", bad
	}
	t, err := o.ledger.Token(ctx, token)
	if errors.Is(err, ledger.ErrUnknown) {
		return nil, "", bad
	}
	if err != nil {
		return nil, "", err
	}
	if _, err := o.client(ctx, t.Client, protocol.InvalidToken); err != nil {
		return nil, t.Client, err
	}
	s, err := o.ledger.SessionByKey(ctx, t.Session)
	if errors.Is(err, ledger.ErrUnknown) || err == nil && s.Account != t.Account {
		return nil, t.Client, bad
	}
	if err != nil {
		return nil, t.Client, err
	}
	claims = map[string]string{"sub": t.Subject}
	for _, name := range t.Claims {
		if v := claim(s.Claims, name); v != "" {
			claims[name] = v
		}
	}
	return claims, t.Client, nil
}

// Revoke ends an access token of the calling client; one of another client
// stays, and the answer does not tell [RFC 7009 §2.2].
func (o *OP) Revoke(w http.ResponseWriter, r *http.Request) {
	harden(w)
	if !allow(w, r, http.MethodPost) {
		return
	}
	p, err := form(w, r)
	if err != nil {
		o.jsonError(w, r, "", err)
		return
	}
	if err := o.revoke(r, p); err != nil {
		o.jsonError(w, r, p["client_id"], err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (o *OP) revoke(r *http.Request, p protocol.Params) error {
	c, err := o.authenticate(r, p, protocol.InvalidClient)
	if err != nil {
		return err
	}
	if p["token"] == "" {
		return refusal(protocol.InvalidRequest, "token is missing")
	}
	t, err := o.ledger.Token(r.Context(), p["token"])
	if errors.Is(err, ledger.ErrUnknown) {
		return nil
	}
	if err != nil || t.Client != c.ID {
		return err
	}
	return o.ledger.Revoke(r.Context(), p["token"])
}
