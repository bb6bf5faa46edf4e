package api

import (
	"net/http"

	"rathausnetz/federation/directory"
)

type conflictView struct {
	Leika   string       `json:"leika"`
	Title   string       `json:"title"`
	Area    string       `json:"area"` // ARS, "" for the Bund
	Name    string       `json:"name"`
	Members []memberView `json:"members"`
}

// Conflicts serves GET /api/v1/conflicts: which Leistungen more than one member
// claims in the same area.
func (a *API) Conflicts() http.Handler {
	return a.handle(func(r *http.Request) (answer, error) {
		p := parameters(r, "datum", "offset", "limit")
		date := p.date("datum")
		offset, limit := p.number("offset", 0, 1<<30, 0), p.number("limit", 1, 500, 100)
		if err := p.err(); err != nil {
			return answer{}, err
		}
		items := []conflictView{}
		for _, c := range a.directory.Conflicts(date) {
			items = append(items, a.viewConflict(&c))
		}
		return jsonAnswer(page(items, offset, limit))
	})
}

func (a *API) viewConflict(c *directory.Clash) conflictView {
	v := conflictView{c.Leika.String(), c.Title, c.Area.String(), a.register.Name(c.Area), make([]memberView, 0, len(c.Members))}
	for i := range c.Members {
		v.Members = append(v.Members, viewMember(&c.Members[i]))
	}
	return v
}
