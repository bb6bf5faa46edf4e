package web

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"net/http"
)

func errorf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
}

// reference makes a short id for questions: two groups of four, without
// letters that look alike (base32: no 0, 1, 8, 9).
func reference() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails [crypto/rand]
	s := base32.StdEncoding.EncodeToString(b[:])
	return s[:4] + "-" + s[4:]
}

// NotFound answers with the page for addresses that do not exist.
func (w *Web) NotFound(rw http.ResponseWriter, r *http.Request) {
	v := w.view(r, "fehler")
	v.Title = v.t("404.title")
	v.NoIndex = true
	v.Page = failure{Heading: v.Title, Text: []string{v.t("404.text")}, Search: v.search("", v.Place)}
	w.write(rw, r, http.StatusNotFound, v)
}

// ServerError answers an error that is ours with a reference; err goes to the
// log under the same reference and never onto the page.
func (w *Web) ServerError(rw http.ResponseWriter, r *http.Request, err error) {
	id := reference()
	w.cfg.Log.ErrorContext(r.Context(), "page failed", "ref", id, "err", err)
	v := w.view(r, "fehler")
	v.Title = v.t("500.title")
	v.NoIndex = true
	v.Page = failure{Heading: v.Title, Text: []string{v.t("500.text", id)}}
	w.write(rw, r, http.StatusInternalServerError, v)
}

// failure is the data of the page for things that did not work.
type failure struct {
	Heading string
	Text    []string
	Actions []link
	Search  *searchForm
}
