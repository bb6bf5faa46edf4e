package rp

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso/rp/provider"
)

// ErrReplay is wrapped for a logout token that was received before.
var ErrReplay = errors.New("rp: logout token was received before")

const (
	logoutPrefix = "sso/rp/logout/"
	maxLogout    = 32 << 10 // bytes of the form body
)

// BackchannelLogout receives POST logout_token from a provider and ends the
// sessions of that issuer and sid [BCLOGOUT §2.5]. 200 also when
// there was nothing to end; 400 with a JSON error for a token that fails any
// check or was received before; 503 if the store is away, so that the provider
// tries again.
func (r *RP) BackchannelLogout(w http.ResponseWriter, req *http.Request) {
	harden(w)
	n, issuer, err := r.backchannel(w, req)
	if err == nil {
		r.c.Log.InfoContext(req.Context(), "logged out by provider", "peer", issuer, "sessions", n)
		w.WriteHeader(http.StatusOK)
		return
	}
	status, code := http.StatusBadRequest, "invalid_request"
	switch {
	case errors.Is(err, errMethod):
		status = http.StatusMethodNotAllowed
		w.Header().Set("Allow", http.MethodPost)
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, provider.ErrUnreachable):
		status, code = http.StatusServiceUnavailable, "temporarily_unavailable"
		w.Header().Set("Retry-After", "5")
	}
	r.c.Log.WarnContext(req.Context(), "logout token refused", "peer", issuer, "err", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The reason stays in the log: the answer tells a forger nothing.
	if err := json.NewEncoder(w).Encode(map[string]string{"error": code}); err != nil {
		r.c.Log.Debug("answer not written", "err", err)
	}
}

func (r *RP) backchannel(w http.ResponseWriter, req *http.Request) (int, federation.EntityID, error) {
	if req.Method != http.MethodPost {
		return 0, "", errMethod
	}
	if m, _, err := mime.ParseMediaType(req.Header.Get("Content-Type")); err != nil || m != "application/x-www-form-urlencoded" {
		return 0, "", fmt.Errorf("%w: content type", errRequest)
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxLogout)
	if err := req.ParseForm(); err != nil {
		return 0, "", fmt.Errorf("%w: form", errRequest)
	}
	raw := req.PostForm["logout_token"]
	if len(raw) != 1 || raw[0] == "" {
		return 0, "", fmt.Errorf("%w: one logout_token is needed", errRequest)
	}
	said, err := provider.LogoutIssuer(raw[0])
	if err != nil {
		return 0, "", err
	}
	issuer, err := federation.ParseEntityID(said, !r.c.Secure)
	if err != nil || string(issuer) != said {
		return 0, "", ErrUnknownProvider
	}
	p, err := r.provider(req.Context(), issuer)
	if err != nil {
		return 0, issuer, err
	}
	t, err := r.client.LogoutToken(req.Context(), p, raw[0])
	if err != nil {
		return 0, issuer, err
	}
	// Only now, when the token is known to be genuine, its jti is remembered.
	err = r.c.Store.Create(req.Context(), logoutPrefix+hash(t.Issuer+"\x00"+t.ID), []byte{1}, 2*provider.LogoutMaxAge)
	if errors.Is(err, store.ErrExists) {
		return 0, issuer, ErrReplay
	}
	if err != nil {
		return 0, issuer, err
	}
	n, err := r.c.Sessions.EndIssuerSID(req.Context(), issuer, t.SID)
	if err != nil {
		// Nothing was ended for sure: the provider's next try must not be a replay.
		return n, issuer, errors.Join(err, r.c.Store.Delete(req.Context(), logoutPrefix+hash(t.Issuer+"\x00"+t.ID)))
	}
	return n, issuer, nil
}
