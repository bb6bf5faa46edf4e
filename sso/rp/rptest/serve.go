package rptest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rathausnetz/federation/trust"
)

func (o *OP) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen[r.URL.Path]++
	if f := o.Faults.Instead[r.URL.Path]; f != nil {
		f(w, r)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /.well-known/openid-configuration":
		answer(w, http.StatusOK, o.Metadata())
	case "GET /jwks":
		o.serveJWKS(w)
	case "POST /par":
		o.par(w, r)
	case "GET /authorize":
		o.authorize(w, r)
	case "POST /token":
		o.token(w, r)
	case "GET /userinfo":
		o.userinfo(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (o *OP) serveJWKS(w http.ResponseWriter) {
	b, err := o.jwks()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, json.RawMessage(b))
}

// authenticate keeps the rules of SSO.md §10 C: one method, aud exactly our
// issuer as a string, iss and sub the client, exp at most 5 minutes ahead, jti
// used once.
func (o *OP) authenticate(r *http.Request) *Client {
	if err := r.ParseForm(); err != nil {
		return nil
	}
	if id, secret, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
		c := o.client(id)
		if c == nil || c.Secret == "" || c.Secret != secret {
			return nil
		}
		return c
	}
	c := o.client(r.PostForm.Get("client_id"))
	if c == nil || c.Keys.Keys() == 0 {
		return nil
	}
	t, err := trust.Door{}.Open(r.PostForm.Get("client_assertion"), []string{"JWT", "client-authentication+jwt"}, c.Keys)
	if err != nil || t.Check(o.now()) != nil {
		return nil
	}
	var v struct {
		Issuer   string        `json:"iss"`
		Subject  string        `json:"sub"`
		Audience string        `json:"aud"`
		ID       string        `json:"jti"`
		Expires  trust.Seconds `json:"exp"`
	}
	if err := t.Into(&v); err != nil {
		return nil
	}
	if v.Issuer != c.ID || v.Subject != c.ID || v.Audience != o.Issuer || v.ID == "" || o.jtis[v.ID] ||
		v.Expires.Time().After(o.now().Add(5*time.Minute)) {
		return nil
	}
	o.jtis[v.ID] = true
	return c
}

func (o *OP) par(w http.ResponseWriter, r *http.Request) {
	c := o.authenticate(r)
	if c == nil {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	if code := o.check(c, r.PostForm); code != "" {
		answer(w, http.StatusBadRequest, map[string]string{"error": code})
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	o.pushed[uri] = r.PostForm
	answer(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": 60})
}

func (o *OP) check(c *Client, f url.Values) string {
	switch {
	case f.Get("client_id") != c.ID, !slices.Contains(c.RedirectURIs, f.Get("redirect_uri")):
		return "invalid_request"
	case f.Get("response_type") != "code":
		return "unsupported_response_type"
	case f.Get("code_challenge") == "", f.Get("code_challenge_method") != "S256", f.Get("nonce") == "", f.Get("state") == "":
		return "invalid_request"
	}
	return ""
}

func (o *OP) authorize(w http.ResponseWriter, r *http.Request) {
	f := r.URL.Query()
	if uri := f.Get("request_uri"); uri != "" {
		f = o.pushed[uri]
		delete(o.pushed, uri)
	} else if !o.noPAR {
		f = nil
	}
	c := o.client(f.Get("client_id"))
	if c == nil || f.Get("client_id") != r.URL.Query().Get("client_id") || o.check(c, f) != "" {
		http.Error(w, "invalid_request", http.StatusBadRequest)
		return
	}
	o.last = f
	code := rand.Text()
	o.codes[code] = f
	q := url.Values{"code": {code}, "state": {f.Get("state")}, "iss": {o.Issuer}}
	if o.Faults.Answer != nil {
		o.Faults.Answer(q)
	}
	http.Redirect(w, r, f.Get("redirect_uri")+"?"+q.Encode(), http.StatusSeeOther)
}

func (o *OP) token(w http.ResponseWriter, r *http.Request) {
	c := o.authenticate(r)
	if c == nil {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	code := r.PostForm.Get("code")
	f := o.codes[code]
	delete(o.codes, code)
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if f == nil || f.Get("client_id") != c.ID || f.Get("redirect_uri") != r.PostForm.Get("redirect_uri") || f.Get("code_challenge") != b64(sum[:]) {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	access := rand.Text()
	o.tokens[access] = f
	id, err := o.idToken(c, f, access)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": id})
}

func (o *OP) idToken(c *Client, f url.Values, access string) (string, error) {
	now := o.now()
	acr := o.ACR
	if acr == "" {
		acr = asked(f)
	}
	hash := sha256.Sum256([]byte(access))
	key := o.Keys[0]
	header := map[string]any{"alg": key.Algorithm(), "kid": key.ID, "typ": "JWT"}
	claims := map[string]any{
		"iss": o.Issuer, "sub": o.Subject, "aud": c.ID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"nonce": f.Get("nonce"), "auth_time": now.Add(-o.AuthAge).Unix(), "acr": acr, "amr": o.AMR, "sid": o.SID,
		"at_hash": b64(hash[:16]),
	}
	if o.Faults.IDToken != nil {
		o.Faults.IDToken(header, claims)
	}
	if o.Faults.Sign != nil {
		if k, other := o.Faults.Sign(header, claims); other {
			key = k
		}
	}
	t, err := key.Token(header, claims)
	if err == nil && o.Faults.Raw != nil {
		t = o.Faults.Raw(t)
	}
	return t, err
}

// asked returns the weakest level that was asked for.
func asked(f url.Values) string {
	var c struct {
		IDToken struct {
			ACR struct {
				Values []string `json:"values"`
			} `json:"acr"`
		} `json:"id_token"`
	}
	if err := json.Unmarshal([]byte(f.Get("claims")), &c); err == nil && len(c.IDToken.ACR.Values) > 0 {
		return c.IDToken.ACR.Values[0]
	}
	return strings.Split(f.Get("acr_values"), " ")[0]
}

func (o *OP) userinfo(w http.ResponseWriter, r *http.Request) {
	access, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || o.tokens[access] == nil || r.URL.RawQuery != "" {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	claims := map[string]any{"sub": o.Subject}
	for k, v := range o.Claims {
		claims[k] = v
	}
	if o.Faults.Userinfo != nil {
		o.Faults.Userinfo(claims)
	}
	answer(w, http.StatusOK, claims)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// The client may be gone; then there is nobody to tell.
	_ = json.NewEncoder(w).Encode(v)
}
