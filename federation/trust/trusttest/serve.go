package trusttest

import (
	"encoding/json"
	"net"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// ServeHTTP answers for every entity by host name.
func (f *Federation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.Host)
	f.mu.Lock()
	f.requests[host+r.URL.Path]++
	e := f.entities[host]
	serve := (func(http.ResponseWriter, *http.Request) bool)(nil)
	if e != nil {
		serve = e.Serve
	}
	f.mu.Unlock()
	if e == nil {
		http.NotFound(w, r)
		return
	}
	if serve != nil && serve(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch r.URL.Path {
	case "/.well-known/openid-federation":
		token(w, trust.TypeStatement, e.Configuration())
	case "/federation/fetch":
		sub := f.subordinate(e, federation.EntityID(r.URL.Query().Get("sub")))
		if sub == nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(`{"error":"not_found"}`))
			return
		}
		token(w, trust.TypeStatement, e.Statement(sub))
	case "/federation/list":
		ids := []federation.EntityID{}
		for _, s := range f.entities {
			if s.Superior == e && !s.Blocked {
				ids = append(ids, s.ID)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(ids)
	default:
		http.NotFound(w, r)
	}
}

func (f *Federation) subordinate(e *Entity, id federation.EntityID) *Entity {
	for _, s := range f.entities {
		if s.ID == id && s.Superior == e && !s.Blocked {
			return s
		}
	}
	return nil
}

func token(w http.ResponseWriter, typ, compact string) {
	w.Header().Set("Content-Type", "application/"+typ)
	_, _ = w.Write([]byte(compact))
}

func (e *Entity) shown() trust.JWKS {
	if e.Keys.Keys() > 0 {
		return e.Keys
	}
	return e.Key.Public()
}

// sign bends and signs; a Bend that makes claims unsignable is a fault of the
// test.
func (e *Entity) sign(typ, what string, claims map[string]any) string {
	if e.Bend != nil {
		e.Bend(what, claims)
	}
	compact, err := trust.Sign(e.Key, typ, claims)
	if err != nil {
		panic(err)
	}
	return compact
}

// Configuration signs the entity configuration. Use it inside Change, or
// before the first request.
func (e *Entity) Configuration() string {
	now := e.fed.now()
	claims := map[string]any{
		"iss": e.ID, "sub": e.ID, "iat": now.Unix(), "exp": now.Add(e.Lifetime).Unix(),
		"jwks": e.shown(), "metadata": e.Metadata,
	}
	if len(e.Hints) > 0 {
		claims["authority_hints"] = e.Hints
	}
	if len(e.MarkIssuers) > 0 {
		claims["trust_mark_issuers"] = e.MarkIssuers
	}
	if issuer := e.issuer(); e.Name != "" && issuer != nil {
		claims["trust_marks"] = []any{map[string]any{
			"trust_mark_type": trust.MarkType(e.anchor().ID), "trust_mark": issuer.Mark(e),
		}}
	}
	return e.sign(trust.TypeStatement, "configuration", claims)
}

func (e *Entity) issuer() *Entity {
	switch {
	case e.Superior != nil:
		return e.Superior
	case len(e.Scope.Areas)+len(e.Scope.Subtree) > 0:
		return e
	}
	return nil
}

// Statement signs the subordinate statement about sub.
func (e *Entity) Statement(sub *Entity) string {
	now := e.fed.now()
	claims := map[string]any{
		"iss": e.ID, "sub": sub.ID, "iat": now.Unix(), "exp": now.Add(e.Lifetime).Unix(),
		"jwks": sub.shown(), "generation": sub.Generation,
	}
	if e.Policy != nil {
		claims["metadata_policy"] = e.Policy
	}
	if e.Constraints != nil {
		claims["constraints"] = e.Constraints
	}
	return e.sign(trust.TypeStatement, "statement", claims)
}

// Mark signs the membership mark of sub.
func (e *Entity) Mark(sub *Entity) string {
	now := e.fed.now()
	c := trust.MarkClaims{
		Issuer: e.ID, Subject: sub.ID, Type: trust.MarkType(e.anchor().ID),
		IssuedAt: trust.At(now), Expires: trust.At(now.Add(e.Lifetime)), ID: "mark-" + sub.Name,
		LegalName: "Gemeinde " + sub.Name, ShortName: sub.Name, Kind: sub.Kind, Seat: sub.Seat, Generation: sub.Generation,
	}
	c.SetScope(sub.Scope)
	b, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(b, &claims); err != nil {
		panic(err)
	}
	return e.sign(trust.TypeMark, "mark", claims)
}
