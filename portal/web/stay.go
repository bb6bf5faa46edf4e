package web

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rathausnetz/portal/web/locale"
)

// StayPath asks "Sind Sie noch da?" [UX.md §6].
const StayPath = "/konto/noch-da"

// askBefore is how long before the end the question comes; a login that lives
// only minutes asks at half of them.
const askBefore = 5 * time.Minute

// lookAgain is how often the question counts down.
const lookAgain = 30 * time.Second

// stayPage is the question, inside the page it is asked for or on its own.
//
// It stands in a frame of its own, because a frame can load itself anew without
// a script while what was typed in the form around it stays.
type stayPage struct {
	Frame   bool
	Heading string
	Text    []string
	Button  bool // there is something to prolong
	Action  string
	Login   string // "": still signed in
	Urgent  bool
}

// NochDa shows how long the login lasts, without making it longer, and asks in
// time. POST makes it longer: the citizen is there.
func (w *Web) NochDa(rw http.ResponseWriter, r *http.Request) {
	framed := r.URL.Query().Get("rahmen") == "1"
	v := w.nobody(r, "noch-da")
	if r.Method == http.MethodPost && w.cfg.Sessions != nil {
		if _, ok := w.cfg.Sessions.Person(r); ok { // this counts as use
			http.Redirect(rw, r, v.stayURL(framed), http.StatusSeeOther)
			return
		}
	}
	if !framed {
		v = w.view(r, "noch-da")
	}
	v.NoIndex, v.Private, v.Frame, v.Bare = true, true, framed, framed
	page := stayPage{Frame: framed, Action: v.stayURL(framed)}
	again := v.stay(&page)
	if again > 0 {
		rw.Header().Set("Refresh", strconv.Itoa(int((again+time.Second-1)/time.Second))+"; url="+page.Action)
	}
	v.Title = page.Heading
	v.crumbs(link{URL: v.Plain("/konto"), Text: v.t("account.mine")}, link{Text: v.Title})
	v.Page = page
	w.write(rw, r, http.StatusOK, v)
}

// stay fills in what the login's state is and returns when to look again.
func (v *view) stay(page *stayPage) time.Duration {
	var l Left
	ok := false
	if v.w.cfg.Sessions != nil {
		l, ok = v.w.cfg.Sessions.Left(v.r)
	}
	if !ok || l.Now <= 0 {
		page.Heading, page.Login, page.Urgent = v.t("session.ended"), "/anmelden?zurueck="+url.QueryEscape("/konto"), true
		page.Text = []string{v.t("session.ended.text")}
		return 0
	}
	final := l.Absolute <= l.Now
	page.Button = !final
	if ask := min(askBefore, l.Idle/2); l.Now > ask {
		at := v.w.cfg.Now().Add(l.Now).In(v.w.zone)
		page.Heading, page.Text = v.t("session.here"), []string{v.t("session.until", locale.Clock(v.Lang, at))}
		return l.Now - ask
	}
	page.Heading, page.Urgent = v.t("session.title"), true
	page.Text = []string{v.n("session.text", max(1, int((l.Now+time.Minute-1)/time.Minute)))}
	if final {
		page.Text = append(page.Text, v.t("session.final"))
	}
	return min(l.Now, lookAgain)
}

func (v *view) stayURL(framed bool) string {
	q := url.Values{}
	if framed {
		q.Set("rahmen", "1")
	}
	return v.query(StayPath, q)
}

// StayFrame is the address of the frame in a page with a form.
func (v *view) StayFrame() string { return v.stayURL(true) }
