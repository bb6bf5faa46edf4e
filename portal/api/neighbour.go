package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/federation/neighbour"
	"rathausnetz/federation/region"
)

// Neighbours answers for places of other Landkreise; see relay.Client.
type Neighbours interface {
	Of(place region.Area) (neighbour.Neighbour, bool)
	Version() uint64 // another one: Of may answer otherwise
	Ask(ctx context.Context, q neighbour.Question) (*neighbour.Answer, error)
}

// ruleNeighbour is the rule that answers for a place of another Landkreis.
const ruleNeighbour directory.Rule = "neighbour"

// sealView says who has answered for a place of another Landkreis, and proves
// it: seal is the answer as that hub has signed it.
type sealView struct {
	Entity  string `json:"entity"`
	Name    string `json:"name"`
	At      string `json:"at"`
	Expires string `json:"expires"`
	Old     bool   `json:"old"` // past its time: nothing newer is to be had
	Serial  uint64 `json:"serial"`
	Seal    string `json:"seal"`
}

// elsewhere answers for a place of another Landkreis; ok is false for all
// other places. Such an answer is not kept here: whether it is still the
// newest is for others to say.
func (a *API) elsewhere(r *http.Request, q directory.Request, explain bool) (answer, bool, error) {
	if a.neighbours == nil || q.Leika.IsZero() {
		return answer{}, false, nil
	}
	by, ok := a.neighbours.Of(q.Place)
	if !ok {
		return answer{}, false, nil
	}
	question := neighbour.Question{Place: q.Place, Leika: q.Leika}
	if !q.Date.IsZero() {
		question.Date = q.Date.Format(time.DateOnly)
	}
	var v answerView
	x, err := a.neighbours.Ask(r.Context(), question)
	switch {
	case err == nil:
		x.Result.Outdated = q.Outdated
		v = a.viewAnswer(&x.Result, nil)
		v.AnsweredBy = &sealView{string(x.By.ID), x.By.Name, stamp(x.At), stamp(x.Expires), x.Old, x.Serial, x.Compact}
	case errors.Is(err, neighbour.ErrNobody):
		return answer{}, false, nil
	default:
		a.log.Warn("another Landkreis could not be asked", "peer", by.ID, "err", err)
		unknown := neighbour.Unknown(question, by, a.now())
		v = a.viewAnswer(&unknown, nil)
	}
	if explain {
		v.Steps = []directory.Step{elsewhereStep(x, by, q.Place)}
	}
	out, err := jsonAnswer(v)
	out.volatile = true
	return out, true, err
}

func elsewhereStep(x *neighbour.Answer, by neighbour.Neighbour, place region.Area) directory.Step {
	s := directory.Step{Rule: ruleNeighbour, Verdict: directory.Fired, Area: place, Member: by.ID}
	switch {
	case x == nil:
		s.Verdict, s.Text = directory.Empty, "Der Ort gehört zu: "+by.Name+". Dessen Hub antwortet nicht, und eine frühere Antwort liegt nicht vor."
	case x.Old:
		s.Text = "Der Ort gehört zu: " + by.Name + ". Dessen Hub antwortet nicht. Die Antwort ist von früher, das Siegel stimmt."
	default:
		s.Text = "Der Ort gehört zu: " + by.Name + ". Dessen Hub hat geantwortet, das Siegel stimmt."
	}
	return s
}
