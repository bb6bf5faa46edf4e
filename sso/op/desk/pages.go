package desk

import (
	"net/http"
	"time"

	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/passkey"
)

// Paths of the pages, below the issuer.
const (
	SessionsPath = "/konto/anmeldungen"
	PasswordPath = "/konto/passwort"
	PasskeysPath = "/konto/passkeys"
	HistoryPath  = "/konto/weitergaben"
	LinksPath    = "/konto/anmeldewege" // Config.Account of the provider
	DataPath     = "/konto/daten"
	ExportPath   = "/konto/daten/meine-daten.json"
	DeletePath   = "/konto/loeschen"
	RecoverPath  = "/konto/neues-passwort"
)

// Pages draws what the desk has to say.
type Pages interface {
	// DeskPage draws one page of the account. Its forms post to Action, with
	// the field "csrf" where CSRF is set, and the fields named at Kind.
	DeskPage(w http.ResponseWriter, r *http.Request, status int, p Page)
	// DeskFailPage says that a page or form did not work.
	DeskFailPage(w http.ResponseWriter, r *http.Request, p sso.FailPage)
}

// Kind is one page of the desk.
type Kind string

// The pages, with the fields that their forms send.
const (
	Sessions Kind = "sessions" // was: portal (sitzung, portal), browser (sitzung) or alle
	Password Kind = "password" // neu, neu2
	Passkeys Kind = "passkeys" // was: neu (name, handle, passkey), name (id, name) or weg (id)
	History  Kind = "history"
	Links    Kind = "links" // see op.LinkForm
	Data     Kind = "data"
	Delete   Kind = "delete"  // verstanden
	Recover  Kind = "recover" // username, code, neu, neu2
)

// Mistake says what was wrong with a form.
type Mistake string

// The mistakes a form can have.
const (
	NoMistake    Mistake = ""
	BadPassword  Mistake = "password" // too short, too long, or the user name
	Different    Mistake = "different"
	BadName      Mistake = "name"
	KeyRefused   Mistake = "key"
	TooManyKeys  Mistake = "many"
	NotAgreed    Mistake = "agree"
	BadCode      Mistake = "code" // name or code, never which
	TooManyTries Mistake = "locked"
)

// Page is the state of one page. Fields that a Kind does not need are empty.
type Page struct {
	Kind         Kind
	Action, CSRF string
	Mistake      Mistake
	Wait         int    // TooManyTries: minutes
	Done         string // what has just been done: the value of "was", "done", or an op.LinkResult
	Own          bool   // the account is the provider's own, with a password
	Username     string
	Name         string // of a new passkey, to show again after a mistake

	Sessions []Session
	Results  []sso.LogoutResult // of portals that were just told

	Keys    []passkey.Key
	Options string // for navigator.credentials.create, "" if there can be no more
	Handle  string

	History []ledger.Handover
	Links   *op.LinkForm
	Account *account.Account // nil: it comes from another source
}

// Session is one browser where the person is signed in.
type Session struct {
	ID      string // names it in forms
	Here    bool   // this browser
	Began   time.Time
	Seen    time.Time
	Portals []Portal
}

// Portal is a portal where a browser is signed in.
type Portal struct {
	ID, Name string
	Since    time.Time
}
