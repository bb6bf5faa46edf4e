package desk

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/passkey"
)

// Citizen is who sends a request: signed in at this portal and at the provider
// behind it, as the same person.
type Citizen struct {
	Account  string // ID at the provider
	Name     string // how the person knows the account
	Session  string // key of the provider's session in this browser
	Upstream string // the source of this login, "" for the provider's own
	CSRF     string // token that forms of this session carry
}

// Citizens tells who sends a request.
type Citizens interface {
	// Citizen returns who sends r, authenticated no longer ago than within (0:
	// as long as the session lives). Otherwise it has answered the request, by
	// a login that returns to this page, and ok is false.
	Citizen(w http.ResponseWriter, r *http.Request, within time.Duration) (c Citizen, ok bool)
	// Leave ends the session of this browser at this portal.
	Leave(w http.ResponseWriter, r *http.Request) error
}

// Provider is what the desk needs of the OpenID Provider; *op.OP is one.
type Provider interface {
	Sessions(ctx context.Context, account string) ([]*ledger.Session, error)
	History(ctx context.Context, account string) ([]ledger.Handover, error)
	Subject(ctx context.Context, client, account string) (string, error)
	EndParty(ctx context.Context, account, key, client string) (sso.LogoutResult, error)
	EndSession(ctx context.Context, account, key string) ([]sso.LogoutResult, error)
	EndOthers(ctx context.Context, account, keep string) ([]sso.LogoutResult, error)
	EndAll(ctx context.Context, account string) ([]sso.LogoutResult, error)
	Forget(ctx context.Context, account string) ([]sso.LogoutResult, error)
	LinkForm(w http.ResponseWriter, r *http.Request) (*op.LinkForm, error)
	Address(r *http.Request) string
}

// Config of a Desk.
type Config struct {
	Issuer   federation.EntityID // required
	Name     string              // required: who runs the accounts
	Provider Provider            // required
	Accounts *account.Accounts   // required
	Passkeys *passkey.Keys       // nil: none
	Citizens Citizens            // required
	Pages    Pages               // required
	Now      func() time.Time
	Log      *slog.Logger
}

// Desk serves the pages. It is safe for concurrent use.
type Desk struct{ c Config }

// How old a login may be: to open a page that changes something, and to send
// the form on it.
const (
	recent     = 5 * time.Minute
	recentForm = 15 * time.Minute
)

const maxForm = 64 << 10 // bytes

// Errors that end a request.
var (
	errForm  = errors.New("desk: form token missing or of another session")
	errInput = errors.New("desk: form not understood")
)

// New checks the configuration. It does no I/O.
func New(c Config) (*Desk, error) {
	if c.Issuer == "" || c.Name == "" || c.Provider == nil || c.Accounts == nil || c.Citizens == nil || c.Pages == nil {
		return nil, errors.New("desk: Config needs Issuer, Name, Provider, Accounts, Citizens and Pages")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{c: c}, nil
}

// Handlers returns every page by its path; all take GET, those with a form
// POST too.
func (d *Desk) Handlers() map[string]http.Handler {
	return map[string]http.Handler{
		SessionsPath: d.page(d.sessions, 0, 0),
		PasswordPath: d.page(d.password, recent, recentForm),
		PasskeysPath: d.page(d.passkeys, recent, recentForm),
		HistoryPath:  d.page(d.history, 0, 0),
		LinksPath:    d.page(d.links, recent, recentForm),
		DataPath:     d.page(d.data, 0, 0),
		ExportPath:   d.page(d.export, recent, 0),
		DeletePath:   d.page(d.delete, recent, recentForm),
		RecoverPath:  http.HandlerFunc(d.recover),
	}
}

// visit is one request of a signed-in citizen.
type visit struct {
	w http.ResponseWriter
	r *http.Request
	Citizen
	own *account.Account // nil: the account comes from another source
}

func (v *visit) posted() bool { return v.r.Method == http.MethodPost }

// page finds out who is there, how sure that is, and whether a form is theirs.
func (d *Desk) page(serve func(*visit) error, open, send time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w)
		within := open
		if r.Method == http.MethodPost {
			within = send
		}
		c, ok := d.c.Citizens.Citizen(w, r, within)
		if !ok {
			return
		}
		v := &visit{w: w, r: r, Citizen: c}
		err := d.begin(v)
		if err == nil {
			err = serve(v)
		}
		if err != nil {
			d.fail(w, r, err)
		}
	})
}

func (d *Desk) begin(v *visit) error {
	own, err := d.c.Accounts.Get(v.r.Context(), v.Account)
	switch {
	case err == nil:
		v.own = own
	case !errors.Is(err, account.ErrNotFound):
		return err
	}
	if !v.posted() {
		return nil
	}
	if err := parse(v.w, v.r); err != nil {
		return err
	}
	if v.CSRF == "" || subtle.ConstantTimeCompare([]byte(v.r.PostForm.Get("csrf")), []byte(v.CSRF)) != 1 {
		return errForm
	}
	return nil
}

func parse(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("%w: %w", errInput, err)
	}
	return nil
}

// show draws a page with what all of them carry.
func (d *Desk) show(v *visit, status int, p Page) error {
	p.Action, p.CSRF, p.Own, p.Account = v.r.URL.RequestURI(), v.CSRF, v.own != nil, v.own
	if v.own != nil {
		p.Username = v.own.Username
	}
	if p.Done == "" && !v.posted() {
		p.Done = done(v.r.URL.Query().Get("fertig"))
	}
	d.c.Pages.DeskPage(v.w, v.r, status, p)
	return nil
}

// done lets through what a page may say to have been done.
func done(s string) string {
	switch s {
	case "neu", "name", "weg":
		return s
	}
	return ""
}

// again answers a form with its page, so that loading it anew sends nothing.
func (v *visit) again(done string) error {
	q := url.Values{"fertig": {done}}
	if l := v.r.URL.Query().Get("lang"); l != "" {
		q.Set("lang", l)
	}
	http.Redirect(v.w, v.r, v.r.URL.Path+"?"+q.Encode(), http.StatusSeeOther)
	return nil
}

func (d *Desk) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := sso.FailPage{Status: http.StatusInternalServerError, Code: "server_error", ID: reference()}
	var large *http.MaxBytesError
	switch {
	case errors.Is(err, errForm):
		p.Status, p.Code, p.Retry = http.StatusForbidden, "access_denied", r.URL.Path
	case errors.As(err, &large):
		p.Status, p.Code = http.StatusRequestEntityTooLarge, "invalid_request"
	case errors.Is(err, errInput):
		p.Status, p.Code, p.Retry = http.StatusBadRequest, "invalid_request", r.URL.Path
	case errors.Is(err, store.ErrUnavailable):
		p.Status, p.Code, p.RetryAfter = http.StatusServiceUnavailable, "temporarily_unavailable", 5
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	level := slog.LevelWarn
	if p.Status == http.StatusInternalServerError {
		level = slog.LevelError
	}
	d.c.Log.Log(r.Context(), level, "account page failed", "ref", p.ID, "err", err)
	d.c.Pages.DeskFailPage(w, r, p)
}

func harden(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
}

func reference() string {
	var b [5]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	s := base32.StdEncoding.EncodeToString(b[:])
	return s[:4] + "-" + s[4:]
}
