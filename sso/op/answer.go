package op

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op/protocol"
)

// retryAfter is what callers are told to wait when the store is away, seconds.
const retryAfter = 5

// allow answers 405 unless the method is one of those given; HEAD goes with GET.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	for _, m := range methods {
		if r.Method == m || m == http.MethodGet && r.Method == http.MethodHead {
			return true
		}
		w.Header().Add("Allow", m)
	}
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// harden sets what every answer about a person carries.
func harden(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// form reads the parameters of a POST.
func form(w http.ResponseWriter, r *http.Request) (protocol.Params, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, &protocol.Refusal{Code: protocol.InvalidRequest, Why: "the body must be a form"}
	}
	body := http.MaxBytesReader(w, r.Body, protocol.MaxParams)
	raw, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	p, refusal := protocol.ParseParams(string(raw))
	if refusal != nil {
		return nil, refusal
	}
	return p, nil
}

func (o *OP) writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		o.c.Log.Debug("answer not written", "err", err)
	}
}

// verdict is what an error means to the outside.
func verdict(err error) (status int, code, why string) {
	var refusal *protocol.Refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refusal):
		status = http.StatusBadRequest
		if refusal.Code == protocol.InvalidClient {
			status = http.StatusUnauthorized
		}
		return status, refusal.Code, refusal.Why
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, protocol.InvalidRequest, "the body is too large"
	case errors.Is(err, errForm):
		return http.StatusForbidden, protocol.AccessDenied, "the form is not valid here"
	case errors.Is(err, errBusy):
		return http.StatusTooManyRequests, protocol.Unavailable, "too many requests from one address"
	case errors.Is(err, store.ErrUnavailable):
		return http.StatusServiceUnavailable, protocol.Unavailable, "try again in some seconds"
	}
	return http.StatusInternalServerError, protocol.ServerError, "an error of this provider"
}

// jsonError answers a client's request [RFC 6749 §5.2]. client is for the log.
func (o *OP) jsonError(w http.ResponseWriter, r *http.Request, client string, err error) {
	status, code, why := verdict(err)
	o.event(r.Context(), status, "request refused", client, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="op"`)
	}
	o.writeJSON(w, status, map[string]string{"error": code, "error_description": why})
}

// page answers a person, without a redirect. The reference stands on the page
// and in the log.
func (o *OP) page(w http.ResponseWriter, r *http.Request, client string, err error) {
	status, code, _ := verdict(err)
	p := sso.FailPage{Status: status, Code: code, ID: reference()}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		p.RetryAfter = retryAfter
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	o.event(r.Context(), status, "page refused "+p.ID, client, err)
	o.c.Pages.FailPage(w, r, p)
}

// event writes the one record of a refusal. Its reason is made of our own
// words: nothing a client or person has sent is in it but the client_id.
func (o *OP) event(ctx context.Context, status int, what, client string, err error) {
	if len(client) > 120 {
		client = client[:120]
	}
	if status >= http.StatusInternalServerError {
		o.c.Log.ErrorContext(ctx, "sign-on: failed", "peer", client, "err", err, "event", what)
		return
	}
	o.c.Log.WarnContext(ctx, "sign-on: refused", "peer", client, "err", err, "event", what)
}

// reference is a short name for one failure, without letters that are easily
// taken for others.
func reference() string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTVWXYZ"
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails since Go 1.24
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b[:4]) + "-" + string(b[4:])
}
