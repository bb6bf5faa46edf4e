package links

import (
	"net/http"
	"time"
)

// Result is what is known about one address.
type Result struct {
	Address string `json:"address,omitempty"` // the one that was asked for
	State   State  `json:"state"`
	Reason  Reason `json:"reason"`
	Detail  string `json:"detail,omitempty"` // the new address, or the other host
	Status  int    `json:"status,omitempty"` // of the last answer
	// Checked is when it was asked for last, Next when it may be again.
	Checked time.Time `json:"checked,omitzero"`
	Next    time.Time `json:"next,omitzero"`
	Good    time.Time `json:"good,omitzero"` // when it answered last
	// Strikes counts the days on which it failed since then; Struck is the
	// last of them, by the calendar of the Zone.
	Strikes int    `json:"strikes,omitempty"`
	Struck  string `json:"struck,omitempty"`

	// Sentence and Remedy are German, for editors.
	Sentence string `json:"sentence,omitempty"`
	Remedy   string `json:"remedy,omitempty"`
}

func (r Result) spoken() Result {
	r.Sentence, r.Remedy = r.sentence(), r.remedy()
	return r
}

// outcome is what one visit gave.
type outcome struct {
	reason     Reason
	status     int
	detail     string
	retryAfter time.Duration
	hostSilent bool // nobody there at all: nothing else of the host needs to be tried
}

// strikesOut is on how many different days a link must fail to be broken.
const strikesOut = 2

// judge grades an outcome in the light of what was known before.
func (c tour) judge(raw string, before Result, o outcome) Result {
	now := c.now
	r := Result{Address: raw, Reason: o.reason, Detail: o.detail, Status: o.status, Checked: now, Good: before.Good, Strikes: before.Strikes, Struck: before.Struck}
	wait := c.cfg.Every
	switch o.reason {
	case Fine, Slow, Moved, Elsewhere:
		r.Good, r.Strikes, r.Struck = now, 0, ""
	case NotFound, Gone, NoAnswer:
		if day := now.In(c.cfg.Zone).Format(time.DateOnly); day != r.Struck {
			r.Strikes, r.Struck = r.Strikes+1, day
		}
		wait = AtMost << min(max(r.Strikes-strikesOut, 0), 3) // what stays broken is asked for less and less
	}
	switch {
	case o.reason == Fine:
		r.State = OK
	case r.Strikes >= strikesOut && strikes(o.reason):
		r.State = Broken
	default:
		r.State = Check
	}
	r.Next = now.Add(min(max(wait, o.retryAfter, AtMost), max(longestBreak, c.cfg.Every)))
	return r
}

func strikes(r Reason) bool { return r == NotFound || r == Gone || r == NoAnswer }

// reasonOf reads an answer's status.
func reasonOf(status int) Reason {
	switch {
	case status >= 200 && status < 300:
		return Fine
	case status == http.StatusNotFound:
		return NotFound
	case status == http.StatusGone:
		return Gone
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests, status == http.StatusUnavailableForLegalReasons:
		return Forbidden
	case status >= 500:
		return Failing
	}
	return Odd
}
