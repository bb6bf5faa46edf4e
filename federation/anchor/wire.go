package anchor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

// Paths below the entity ID.
const (
	pathFetch      = "/federation/fetch"
	pathList       = "/federation/list"
	pathResolve    = "/federation/resolve"
	pathMark       = "/federation/trust-mark"
	pathMarkStatus = "/federation/trust-mark-status"
	pathMarkList   = "/federation/trust-mark-list"
	pathHistory    = "/federation/historical-keys"
	pathJoin       = "/federation/join"
	pathGossipKeys = "/federation/gossip-keys"
	pathNotices    = "/federation/notices"
	pathReports    = "/federation/reports"
	pathProbe      = "/federation/probe"
)

// endpoints are the federation_entity parameters of a hub [OIDF §5.1.1].
var endpoints = map[string]string{ // read only
	"federation_fetch_endpoint":             pathFetch,
	"federation_list_endpoint":              pathList,
	"federation_resolve_endpoint":           pathResolve,
	"federation_trust_mark_endpoint":        pathMark,
	"federation_trust_mark_status_endpoint": pathMarkStatus,
	"federation_trust_mark_list_endpoint":   pathMarkList,
	"federation_historical_keys_endpoint":   pathHistory,
}

// typ values between a hub and its members.
const (
	typeJoin       = "join-request+jwt"
	typeStatus     = "join-status+jwt"
	typeAnswer     = "join-answer+jwt"
	typeGossipKeys = "gossip-keys-request+jwt"
	typeReport     = "report+jwt"
	typeProbe      = "probe+jwt"
)

// wireError is an error as it travels [OIDF §8.9].
type wireError struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// wireCodes gives each sentinel its code on the wire, both ways.
var wireCodes = []struct { // read only
	err    error
	code   string
	status int
}{
	{ErrCodeUsed, "code_used", http.StatusConflict},
	{ErrCodeExpired, "code_expired", http.StatusGone},
	{ErrCodeUnknown, "code_unknown", http.StatusNotFound},
	{ErrControl, "control_not_proved", http.StatusBadRequest},
	{ErrMember, "already_member", http.StatusConflict},
	{ErrRefused, "refused", http.StatusForbidden},
	{ErrNotApproved, "not_approved", http.StatusForbidden},
	{ErrTooSoon, "slow_down", http.StatusTooManyRequests},
	{ErrReplay, "replayed", http.StatusBadRequest},
	{ErrNotMember, "not_found", http.StatusNotFound},
	{errTooLarge, "invalid_request", http.StatusRequestEntityTooLarge},
	{errMediaType, "invalid_request", http.StatusUnsupportedMediaType},
	{errUnsupported, "unsupported_parameter", http.StatusBadRequest},
	{ErrRequest, "invalid_request", http.StatusBadRequest},
	{store.ErrUnavailable, "temporarily_unavailable", http.StatusServiceUnavailable},
}

var (
	errUnsupported = errors.New("anchor: parameter not supported")
	errTooLarge    = errors.New("anchor: request too large")
	errMediaType   = errors.New("anchor: content type not supported")
)

// fail answers with the standard's JSON error; what is not foreseen becomes a
// 500 without details.
func (a *Anchor) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, out := http.StatusInternalServerError, wireError{Code: "server_error", Description: "the request could not be answered"}
	for _, c := range wireCodes {
		if errors.Is(err, c.err) {
			status, out = c.status, wireError{Code: c.code, Description: err.Error()}
			break
		}
	}
	if status >= http.StatusInternalServerError && r.Context().Err() == nil {
		a.cfg.Log.ErrorContext(r.Context(), "federation endpoint", "url", r.URL.Path, "err", err)
	} else {
		a.cfg.Log.DebugContext(r.Context(), "federation request refused", "url", r.URL.Path, "err", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	answerJSON(w, status, out)
}

// errorOf is the reverse of fail: the sentinel that a code stands for.
func errorOf(status int, body []byte) error {
	var e wireError
	if err := trust.Decode(body, &e); err == nil {
		for _, c := range wireCodes {
			if c.code == e.Code && c.status == status {
				return c.err
			}
		}
	}
	return fmt.Errorf("%w: status %d", ErrHub, status)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func answerToken(w http.ResponseWriter, typ, compact string) {
	w.Header().Set("Content-Type", "application/"+typ)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(compact))
}
