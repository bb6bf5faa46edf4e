package anchor

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// Handlers returns the endpoints by path below the entity ID.
func (a *Anchor) Handlers() map[string]http.Handler {
	get := func(answer func(http.ResponseWriter, *http.Request) error) http.Handler {
		return a.endpoint(http.MethodGet, answer)
	}
	post := func(answer func(http.ResponseWriter, *http.Request) error) http.Handler {
		return a.endpoint(http.MethodPost, answer)
	}
	out := map[string]http.Handler{
		pathFetch: get(a.serveFetch), pathList: get(a.serveList), pathResolve: get(a.serveResolve),
		pathMark: get(a.serveMark), pathMarkStatus: post(a.serveMarkStatus), pathMarkList: get(a.serveMarkList),
		pathHistory: get(a.serveHistory), pathNotices: get(a.serveNotices),
		pathJoin: post(a.serveJoin), pathGossipKeys: post(a.serveGossipKeys),
		pathReports: post(a.serveReport),
	}
	if a.cfg.Probe != nil {
		out[pathProbe] = post(a.serveProbe)
	}
	return out
}

func (a *Anchor) endpoint(method string, answer func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method && !(method == http.MethodGet && r.Method == http.MethodHead) {
			w.Header().Set("Allow", method)
			answerJSON(w, http.StatusMethodNotAllowed, wireError{"invalid_request", "this endpoint takes " + method + " only, without client authentication"})
			return
		}
		if err := answer(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// query returns the parameters, refusing unknown ones and repetitions of those
// that may be given once.
func query(r *http.Request, once []string, many ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: query", ErrRequest)
	}
	for name, values := range q {
		switch {
		case slices.Contains(many, name):
		case !slices.Contains(once, name):
			return nil, fmt.Errorf("%w: %.40q", errUnsupported, name)
		case len(values) > 1:
			return nil, fmt.Errorf("%w: %s given twice", ErrRequest, name)
		}
	}
	return q, nil
}

// serveFetch answers with the subordinate statement [OIDF §8.1].
func (a *Anchor) serveFetch(w http.ResponseWriter, r *http.Request) error {
	// Clients of former drafts also send iss.
	q, err := query(r, []string{"sub", "iss"})
	if err != nil {
		return err
	}
	if q.Has("iss") && q.Get("iss") != string(a.cfg.Self) {
		return fmt.Errorf("%w: iss is somebody else", ErrRequest)
	}
	id, err := a.subject(q)
	if err != nil {
		return err
	}
	if id == a.cfg.Self {
		return fmt.Errorf("%w: sub is the issuer itself", ErrRequest)
	}
	m, err := a.active(r.Context(), id)
	if err != nil {
		return err
	}
	compact, err := a.statement(m)
	if err != nil {
		return err
	}
	answerToken(w, trust.TypeStatement, compact)
	return nil
}

func (a *Anchor) subject(q url.Values) (federation.EntityID, error) {
	id, err := federation.ParseEntityID(q.Get("sub"), a.cfg.AllowLoopback)
	if err != nil {
		return "", fmt.Errorf("%w: sub must be an entity ID", ErrRequest)
	}
	return id, nil
}

// serveList answers with the IDs of active members [OIDF §8.2].
func (a *Anchor) serveList(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, []string{"trust_marked", "trust_mark_type", "intermediate"}, "entity_type")
	if err != nil {
		return err
	}
	for _, name := range []string{"trust_marked", "intermediate"} {
		if v := q.Get(name); q.Has(name) && v != "true" && v != "false" {
			return fmt.Errorf("%w: %s must be true or false", ErrRequest, name)
		}
	}
	members, err := a.List(r.Context(), Filter{State: StateActive})
	if err != nil {
		return err
	}
	// A hub that is not admitted yet has no members, so its type is not asked.
	typ := ""
	if len(members) > 0 {
		if typ, err = a.markType(); err != nil {
			return err
		}
	}
	ids := []federation.EntityID{}
	for _, m := range members {
		types := append([]string{trust.TypeEntity}, m.EntityTypes...)
		switch {
		case q.Has("intermediate") && (q.Get("intermediate") == "true") != m.Intermediate:
		case q.Get("trust_marked") == "false": // every active member has a mark
		case q.Has("trust_mark_type") && q.Get("trust_mark_type") != typ:
		case q.Has("entity_type") && !slices.ContainsFunc(q["entity_type"], func(t string) bool { return slices.Contains(types, t) }):
		default:
			ids = append(ids, m.ID)
		}
	}
	answerJSON(w, http.StatusOK, ids)
	return nil
}

// serveResolve answers with what this hub has verified already [OIDF §8.3]; it
// starts no resolution for strangers.
func (a *Anchor) serveResolve(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, []string{"sub"}, "trust_anchor", "entity_type")
	if err != nil {
		return err
	}
	id, err := a.subject(q)
	if err != nil {
		return err
	}
	p, err := a.place()
	if err != nil {
		return err
	}
	if len(q["trust_anchor"]) == 0 || !slices.Contains(q["trust_anchor"], string(p.TrustAnchor)) {
		return fmt.Errorf("%w: trust_anchor must name %s", ErrRequest, p.TrustAnchor)
	}
	if m, err := a.Show(r.Context(), id); err == nil && m.State != StateActive {
		return fmt.Errorf("%s: %w", id, ErrNotMember)
	} else if err != nil && !errors.Is(err, ErrNotMember) {
		return err
	}
	if p.Resolver == nil {
		return fmt.Errorf("%s: %w", id, ErrNotMember)
	}
	chain, ok := p.Resolver.Cached(id)
	if !ok {
		return fmt.Errorf("%s is not known here yet: %w", id, ErrNotMember)
	}
	key, err := a.signer()
	if err != nil {
		return err
	}
	metadata := trust.Metadata{}
	for typ, params := range chain.Metadata {
		if want := q["entity_type"]; len(want) == 0 || slices.Contains(want, typ) {
			metadata[typ] = params
		}
	}
	marks := []trust.MarkRef{}
	for _, m := range chain.Marks {
		marks = append(marks, trust.MarkRef{Type: m.Type, Mark: m.Compact})
	}
	compact, err := trust.Sign(key, trust.TypeResolve, map[string]any{
		"iss": a.cfg.Self, "sub": id, "iat": trust.At(a.cfg.Now()), "exp": trust.At(chain.Expires),
		"metadata": metadata, "trust_chain": chain.Compacts(), "trust_marks": marks,
	})
	if err != nil {
		return err
	}
	answerToken(w, trust.TypeResolve, compact)
	return nil
}

// serveHistory answers with the keys of former times [OIDF §8.7].
func (a *Anchor) serveHistory(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r, nil); err != nil {
		return err
	}
	key, err := a.signer()
	if err != nil {
		return err
	}
	compact, err := trust.SignHistory(key, a.cfg.Self, a.cfg.Keys().History, a.cfg.Now())
	if err != nil {
		return err
	}
	answerToken(w, trust.TypeJWKSet, compact)
	return nil
}

// serveNotices answers with the signed notices that still matter.
func (a *Anchor) serveNotices(w http.ResponseWriter, r *http.Request) error {
	notices, err := a.Notices(r.Context())
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, map[string]any{"notices": notices})
	return nil
}
