package testnet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"rathausnetz/portal"
	"rathausnetz/portal/api"
)

// What the journey between two Landkreise looks for.
const (
	homeLeika   = "99115005104000" // Wohnsitz anmelden
	homeWords   = "Wohnsitz anmelden"
	besideTown  = "damme"
	besideWords = "Diese Auskunft kommt vom Portal "
)

// NeighbourJourney needs Spec.Neighbour.
func NeighbourJourney() Journey { return Journey{"move to the next Landkreis", neighbourJourney} }

// neighbourJourney: a citizen of Bissendorf moves to Damme, which is in the next
// Landkreis. The page of Bissendorf says what to do there, who is responsible,
// who says so and when, and leads to the portal of Damme.
func neighbourJourney(ctx context.Context, nw *Network) error {
	home, there, hub := nw.Member("bissendorf"), nw.Member(besideTown), nw.Member(besideName)
	if home == nil || there == nil || hub == nil {
		return fmt.Errorf("%w: the journey needs the Landkreis beside", ErrSpec)
	}
	c := NewCitizen(nw.Transport())
	page := home.Entity.URL("/umzug?" + url.Values{"von": {home.body.short}, "nach": {there.body.short}}.Encode())
	if err := awaitPage(ctx, c, page, "Am neuen Ort: "+there.body.short, "Zuständig: "+there.Legal, besideWords+"des "+"Landkreises Vechta", "Angaben vom"); err != nil {
		return err
	}
	if err := c.ClickHref(ctx, "/leistung/"+homeLeika+"/"+"03460002"); err != nil {
		return err
	}
	if err := nw.expectAt(c, there, "Zuständig für "+there.body.short+": "+there.Legal); err != nil {
		return err
	}
	a, err := home.resolve(ctx, homeLeika, there.Area.String())
	if err != nil {
		return err
	}
	if a.AnsweredBy == nil || a.AnsweredBy.Entity != string(hub.Entity) || len(a.Providers) != 1 || a.Providers[0].Member.ID != string(there.Entity) {
		return fmt.Errorf("%w: resolved as %+v", ErrPage, a)
	}
	return nil
}

// resolution is what is read of /api/v1/resolve.
type resolution struct {
	Reason    string `json:"reason"`
	Providers []struct {
		Member struct {
			ID string `json:"id"`
		} `json:"member"`
		Serial uint64            `json:"serial"`
		Title  map[string]string `json:"title"`
		Stale  bool              `json:"stale"`
	} `json:"providers"`
	Notices []struct {
		Kind string `json:"kind"`
	} `json:"notices"`
	AnsweredBy *struct {
		Entity string `json:"entity"`
		Old    bool   `json:"old"`
		Seal   string `json:"seal"`
	} `json:"answeredBy"`
}

// resolve asks a node who is responsible, as its operator does.
func (m *Member) resolve(ctx context.Context, key, place string) (resolution, error) {
	var out resolution
	q, err := json.Marshal(portal.Question{Path: api.PathResolve, Query: url.Values{"leika": {key}, "ort": {place}}})
	if err != nil {
		return out, err
	}
	v, err := m.Node().Verbs()["ask"](ctx, q)
	if err != nil {
		return out, err
	}
	raw, ok := v.(json.RawMessage)
	if !ok {
		return out, fmt.Errorf("%w: the answer is a %T", ErrPage, v)
	}
	return out, json.Unmarshal(raw, &out)
}
