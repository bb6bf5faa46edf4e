package neighbour

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rathausnetz/federation"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Limits of a Question.
const (
	MaxTexts = 16
	maxText  = 80 // bytes
)

// Question is what one hub asks another. It names a Leistung or up to 16 texts
// to look for, never a person. Exactly one of Leika and Texts is set.
type Question struct {
	Place region.Area `json:"place"`           // a Kreis or something inside one
	Date  string      `json:"date,omitempty"`  // YYYY-MM-DD; empty: today
	Lang  string      `json:"lang,omitempty"`  // of titles found by Texts; empty: de
	Leika leika.ID    `json:"leika,omitzero"`  // who is responsible for this key?
	Texts []string    `json:"texts,omitempty"` // what is offered, for each of these words?
}

// Check refuses what no honest portal asks; errors wrap ErrAsked.
func (q Question) Check() error {
	switch {
	case q.Place.Len() < 5:
		return fmt.Errorf("%w: the place must be a Kreis or inside one", ErrAsked)
	case q.Leika.IsZero() == (len(q.Texts) == 0):
		return fmt.Errorf("%w: a LeiKa key or texts, not both", ErrAsked)
	case len(q.Texts) > MaxTexts:
		return fmt.Errorf("%w: at most %d texts", ErrAsked, MaxTexts)
	case q.Lang != "" && (len(q.Lang) != 2 || strings.Trim(q.Lang, "abcdefghijklmnopqrstuvwxyz") != ""):
		return fmt.Errorf("%w: language %.8q", ErrAsked, q.Lang)
	}
	if _, err := q.day(); err != nil {
		return fmt.Errorf("%w: date %.20q", ErrAsked, q.Date)
	}
	for _, t := range q.Texts {
		if t == "" || len(t) > maxText || !utf8.ValidString(t) || strings.ContainsFunc(t, unicode.IsControl) {
			return fmt.Errorf("%w: a text has 1 to %d bytes", ErrAsked, maxText)
		}
	}
	return nil
}

// day is the date asked for, zero for today.
func (q Question) day() (time.Time, error) {
	if q.Date == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, q.Date)
}

// Values is the query of a request; ParseQuestion reads it.
func (q Question) Values() url.Values {
	v := url.Values{"place": {q.Place.String()}}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("date", q.Date)
	set("lang", q.Lang)
	set("leika", q.Leika.String())
	for _, t := range q.Texts {
		v.Add("text", t)
	}
	return v
}

// ParseQuestion reads the query of a request; unknown and repeated parameters
// are refused. Errors wrap ErrAsked.
func ParseQuestion(v url.Values) (Question, error) {
	var q Question
	for name, list := range v {
		var err error
		switch name {
		case "place":
			q.Place, err = region.ParseArea(list[0])
		case "date":
			q.Date = list[0]
		case "lang":
			q.Lang = list[0]
		case "leika":
			q.Leika, err = leika.Parse(list[0])
		case "text":
			q.Texts = list
		default:
			return q, fmt.Errorf("%w: unknown parameter %.20q", ErrAsked, name)
		}
		if err != nil || name != "text" && len(list) > 1 {
			return q, fmt.Errorf("%w: parameter %s", ErrAsked, name)
		}
	}
	return q, q.Check()
}

// Digest names the question together with who is asked.
func (q Question) Digest(of federation.EntityID) federation.Digest {
	b, err := json.Marshal(q)
	if err != nil { // strings only: cannot happen
		panic("neighbour: question: " + err.Error())
	}
	return federation.Sum(append([]byte(string(of)+"\x00"), b...))
}

// same reports whether both ask the same.
func (q Question) same(o Question) bool { return q.Digest("") == o.Digest("") }
