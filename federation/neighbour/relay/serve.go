package relay

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/neighbour"
)

// atOnce is how many questions of others a hub answers or passes on at a time.
const atOnce = 32

// ListHandler serves the sealed list that list returns, with its digest as
// ETag; "" means that there is none yet.
func ListHandler(list func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		compact := list()
		if compact == "" {
			refuse(w, http.StatusNotFound, "not_found", "this hub knows no others")
			return
		}
		tag := `"` + federation.Sum([]byte(compact)).String() + `"`
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "no-cache")
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "application/"+neighbour.TypeList)
		_, _ = io.WriteString(w, compact) // a reader that has gone is nobody's error
	})
}

// AnswerHandler answers other Landkreise about places of the own one.
func AnswerHandler(r *neighbour.Responder) http.Handler {
	return limited(func(_ http.ResponseWriter, _ *http.Request, q neighbour.Question) (string, error) { return r.Seal(q) })
}

// RelayHandler passes the answers of neighbours on, byte for byte, as fresh as
// they can be had. The seal says how old one is; a header, that it cannot be
// renewed now.
func (c *Client) RelayHandler() http.Handler {
	return limited(func(w http.ResponseWriter, r *http.Request, q neighbour.Question) (string, error) {
		a, err := c.Ask(r.Context(), q)
		if err != nil {
			return "", err
		}
		if a.Old {
			w.Header().Set(ageHeader, ageOld)
		}
		return a.Compact, nil
	})
}

// limited answers some questions at a time; others are asked to come back.
func limited(answer func(http.ResponseWriter, *http.Request, neighbour.Question) (string, error)) http.Handler {
	slots := make(chan struct{}, atOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, err := neighbour.ParseQuestion(r.URL.Query())
		if err != nil {
			refuse(w, http.StatusBadRequest, "invalid_request", err.Error())
			return
		}
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			w.Header().Set("Retry-After", "2")
			refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable", "too many questions at a time")
			return
		}
		compact, err := answer(w, r, q)
		switch {
		case err == nil:
			w.Header().Set("Content-Type", "application/"+neighbour.TypeAnswer)
			w.Header().Set("Cache-Control", "no-store")
			_, _ = io.WriteString(w, compact) // a reader that has gone is nobody's error
		case errors.Is(err, neighbour.ErrNobody), errors.Is(err, neighbour.ErrArea):
			refuse(w, http.StatusNotFound, "not_found", "the place belongs to nobody known here")
		default:
			w.Header().Set("Retry-After", "5")
			refuse(w, http.StatusServiceUnavailable, "temporarily_unavailable", "the neighbour does not answer")
		}
	})
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	b, err := json.Marshal(map[string]string{"error": code, "error_description": description})
	if err != nil { // strings only: cannot happen
		b = []byte(`{}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
