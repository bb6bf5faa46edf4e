package sso

import (
	"net/http"

	"rathausnetz/federation"
)

// Pages draws what sign-on has to say to a person. The portal implements it in
// its own design; sso decides what is said and never writes HTML itself. Every
// form on these pages posts to Action with a hidden field "csrf" and the field
// "handle" where Handle is set.
type Pages interface {
	// LoginPage asks for an account: fields "username" and "password", and one
	// button per upstream (name "upstream", value its ID).
	LoginPage(w http.ResponseWriter, r *http.Request, status int, p LoginPage)
	// ConfirmPage is the information page before the first hand-over to a
	// portal: buttons named "decision" with the values "yes" and "no".
	ConfirmPage(w http.ResponseWriter, r *http.Request, p ConfirmPage)
	// LinkPage asks whether the account source that a signed-in person has just
	// used shall belong to their account: buttons named "decision" with the
	// values "yes" and "no".
	LinkPage(w http.ResponseWriter, r *http.Request, p LinkPage)
	// LogoutPage asks whether to log out, or shows the result per portal.
	LogoutPage(w http.ResponseWriter, r *http.Request, p LogoutPage)
	// FailPage says that signing in did not work, without a redirect.
	FailPage(w http.ResponseWriter, r *http.Request, p FailPage)
}

// LoginPage is the state of the login form.
type LoginPage struct {
	Action, CSRF, Handle string
	Portal               string           // name of the portal that asked
	Level                federation.Level // the level that is needed
	StepUp               bool             // signed in already, but not at this level
	Again                bool             // signed in at this level, but too long ago
	Username             string           // to show again after a mistake
	Mistake              Mistake
	Upstreams            []UpstreamChoice // may be empty; near ones first
	// Search: there are more account sources than a person reads through. The
	// page then offers a GET form to Action with the fields "handle" and
	// "suche", a place or a name; Words is what was searched for.
	Search   bool
	Words    string
	Accounts bool // the provider has accounts of its own at this level
	// Passkey is what a script hands to navigator.credentials.get, as JSON; its
	// answer is posted in the field "passkey". "" if there are none.
	Passkey string
	Wait    int // minutes that TooManyTries lasts
}

// UpstreamChoice is one account source to choose from.
type UpstreamChoice struct {
	ID, Name string
	Near     bool // for people of the place that was asked for
}

// Mistake says what was wrong with the last attempt.
type Mistake string

// The mistakes a login form can show. NoMistake is the first visit.
const (
	NoMistake      Mistake = ""
	WrongPassword  Mistake = "wrong"    // name or password, never which
	TooManyTries   Mistake = "locked"   // wait some minutes
	LoginExpired   Mistake = "expired"  // the form was open too long
	UpstreamFailed Mistake = "upstream" // the chosen account source answered with an error
	PasskeyFailed  Mistake = "passkey"  // the passkey is not known here, or not confirmed
)

// ConfirmPage says where the person goes and what is handed over.
type ConfirmPage struct {
	Action, CSRF, Handle string
	Portal               string   // legal name of the portal
	PortalURL            string   // its entity ID
	Claims               []string // what it receives: name, given_name, family_name, email, locale
	LoggedInAt           []string // names of the portals where the person is signed in now
	Level                federation.Level
	Person               string // how the account is called, for "Sie sind angemeldet als"
}

// LinkPage asks a person who is signed in at both sides.
type LinkPage struct {
	Action, CSRF, Handle string
	Person               string // how the account of this browser is called
	Upstream             string // name of the account source
	Other                string // what the source calls the person; may be empty
	Portal               string // name of the portal that asked
}

// LogoutPage asks first (Done false) or shows what became of it.
type LogoutPage struct {
	Action, CSRF string
	Handle       string
	Done         bool
	Results      []LogoutResult // Done: one per portal, in the order of signing in
	Source       string         // Done: the account source that may still know the person
	Return       string         // validated address to go back to, may be empty
	ReturnName   string
}

// LogoutResult is what one portal answered.
type LogoutResult struct {
	Portal string
	OK     bool // false: not reached; it is tried again for some minutes
}

// FailPage is an error that must not be redirected.
type FailPage struct {
	Status int
	Code   string // the standard's error code, e.g. invalid_request
	ID     string // short reference for questions, also in the log
	// RetryAfter in seconds; 0 means that trying again at once may help.
	RetryAfter int
	// Retry is a path at this portal that starts the login again and leads to
	// where the person wanted to go; it may be empty.
	Retry string
}
