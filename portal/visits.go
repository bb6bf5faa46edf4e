package portal

import (
	"net/http"
	"strings"
)

// visited counts the pages of single Leistungen that people open. Programs
// that say so of themselves are left out.
func (n *Node) visited(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next(s, r)
		if r.Method == http.MethodGet && (s.status == http.StatusOK || s.status == http.StatusNotModified) && !robot(r.UserAgent()) {
			n.visits.Count(n.visitKey(r))
		}
	})
}

// visitKey is the LeiKa key, or the ID of an own offer; pages of others' offers
// without a key are not counted here.
func (n *Node) visitKey(r *http.Request) string {
	if key := r.PathValue("leika"); key != "" {
		return key
	}
	if o := r.PathValue("offer"); r.PathValue("member") == n.cfg.Entity.Host() {
		return o
	}
	return ""
}

func robot(agent string) bool {
	agent = strings.ToLower(agent)
	for _, word := range []string{"bot", "crawl", "spider", "linkpruefung", "curl/", "wget/", "python", "go-http-client"} {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return agent == ""
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusWriter) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *statusWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
