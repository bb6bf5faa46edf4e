package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
	"rathausnetz/portal/web"
	"rathausnetz/portal/web/brand"
	"rathausnetz/sso"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/passkey"
)

// The network of the tests: four members of the Landkreis Osnabrück.
const (
	kreis      = federation.EntityID("https://landkreis.example")
	bissendorf = federation.EntityID("https://bissendorf.example")
	melle      = federation.EntityID("https://melle.example")
	abfall     = federation.EntityID("https://abfall.example")
)

var (
	now     = time.Date(2026, 11, 22, 9, 42, 0, 0, time.UTC)
	fetched = time.Date(2026, 11, 19, 5, 0, 0, 0, time.UTC)

	areaKreis      = region.MustArea("03459")
	areaBissendorf = region.MustArea("034590012012")
	areaMelle      = region.MustArea("034590024024")
)

// Keys of the catalogue of services.
var (
	keyHund     = leika.MustParse("99102013004000") // Hundesteuer Anmeldung
	keyBauakte  = leika.MustParse("99012024000000")
	keyAusweis  = leika.MustParse("99008001012000")
	keyKfz      = leika.MustParse("99036001012000")
	keyNobody   = leika.MustParse("99050012104000")
	keyConflict = leika.MustParse("99036003019000")
	keyStelle   = leika.MustParse("99115005104000")
)

func de(s string) catalog.Text { return catalog.Text{"de": s} }

func offer(member federation.EntityID, n int, key leika.ID, title, short string, area region.Area, level federation.Level, online bool) catalog.Offer {
	id := catalog.NewID("T", fmt.Sprintf("%s-%d", member.Host()[:3], n))
	o := catalog.Offer{
		ID: id, Leika: key, Title: de(title),
		Sections: []catalog.Section{
			{Kind: catalog.Kurztext, Text: de(short)},
			{Kind: catalog.Unterlagen, Text: de("<ul><li>Adresse oder Flurstück des Grundstücks</li><li>Vollmacht, wenn Sie für andere handeln</li></ul>")},
			{Kind: catalog.Voraussetzungen, Text: de("<p>Sie wohnen im Ort.</p>")},
			{Kind: catalog.Kosten, Text: de("25 Euro für die Einsicht, 0,50 Euro je Kopie")},
			{Kind: catalog.Bearbeitungsdauer, Text: de("etwa 10 Arbeitstage")},
			{Kind: catalog.Verfahrensablauf, Text: de("<ol><li>Sie füllen den Antrag aus.</li><li>Sie bezahlen die Gebühr.</li></ol>")},
			{Kind: catalog.Rechtsgrundlage, Text: de(`<p>Siehe <a href="https://www.gesetze-im-internet.de/">Gesetze im Internet</a>.</p>`)},
		},
		Zustaendigkeiten: []catalog.Zustaendigkeit{{ID: id + "-z", Area: area, Role: catalog.Zustaendig, Unit: "T:amt"}},
		Geaendert:        time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC),
	}
	if online {
		o.Onlinedienste = []catalog.Onlinedienst{{ID: id + "-o", URL: string(member) + "/antrag/" + string(id), Level: level, Payment: level > federation.LevelNone}}
	}
	return o
}

func unit(name, phone string) catalog.Unit {
	return catalog.Unit{
		ID: "T:amt", Name: de(name), Street: "Kirchplatz 1", PLZ: "49143", Ort: "Bissendorf", Phone: phone,
		Email: "info@gemeinde.example", Hours: de("<p>Montag bis Freitag 8 bis 12 Uhr</p>"),
	}
}

func member(id federation.EntityID, name, short string, kind federation.Kind, seat region.Area, phone string) federation.Member {
	return federation.Member{
		ID: id, Name: name, ShortName: short, Kind: kind, Seat: seat, Phone: phone,
		Scope: federation.Scope{Areas: []region.Area{seat}, Subtree: []region.Area{seat}}, IsHub: kind == federation.KindLandkreis,
	}
}

// fixture is a portal of Bissendorf with its surroundings.
type fixture struct {
	dir     *directory.Directory
	cfg     web.Config
	sources []directory.Source
	person  *web.Person
	network []web.Portal
	reports []string // taken by Report
	silent  bool     // the owner of a text does not answer
}

func (f *fixture) Portals() []web.Portal { return f.network }

func (f *fixture) State(_ *http.Request, reference string) (web.ReportState, string, error) {
	if reference == "DOWN" {
		return web.ReportUnknown, "", errors.New("no answer")
	}
	if s := web.ReportState(strings.ToLower(reference)); s == web.ReportOpen || s == web.ReportDone || s == web.ReportWaiting || s == web.ReportLeft {
		return s, map[web.ReportState]string{web.ReportDone: "Die Gebühr stimmt jetzt."}[s], nil
	}
	return web.ReportUnknown, "", nil
}

func (f *fixture) Report(_ *http.Request, about directory.OfferRef, text string) (string, bool, error) {
	if text == "fail" {
		return "", false, errors.New("store full")
	}
	f.reports = append(f.reports, string(about.Member)+" "+string(about.ID)+" "+text)
	return "7F3K-21QD", !f.silent, nil
}

func (f *fixture) Person(r *http.Request) (web.Person, bool) {
	if f.person == nil {
		return web.Person{}, false
	}
	if _, err := r.Cookie("rn"); err != nil {
		return web.Person{}, false
	}
	return *f.person, true
}

// Left takes the minutes that a test names in the address.
func (f *fixture) Left(r *http.Request) (web.Left, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get("rest"))
	if err != nil {
		return web.Left{}, false
	}
	l := web.Left{Now: time.Duration(n) * time.Minute, Absolute: 10 * time.Hour, Idle: time.Hour}
	if r.URL.Query().Get("fest") != "" {
		l.Absolute = l.Now
	}
	return l, true
}

const coat = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 56"><path d="M2 2h44v26c0 14-10 22-22 26C12 50 2 42 2 28z" fill="#175c3a" stroke="#131525" stroke-width="2"/><circle cx="24" cy="24" r="9" fill="#f2c14e"/><path d="M6 38h36" stroke="#fff" stroke-width="4"/></svg>`

const hills = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1600 400" preserveAspectRatio="xMidYMid slice"><rect width="1600" height="400" fill="#f6e7cf"/><circle cx="1180" cy="110" r="64" fill="#f2b64a"/><path d="M0 260c220-70 460-40 700-10s520-90 900-30v180H0z" fill="#c9c08a"/><path d="M0 320c260-50 520 10 800-20s520-40 800 0v100H0z" fill="#8fa866"/><path d="M0 360c300-30 620 0 900-10s460-10 700 0v50H0z" fill="#5f8a4e"/></svg>`

func newFixture() *fixture {
	f := &fixture{}
	reg := region.Demo()
	f.dir = directory.New(directory.Config{Register: reg, Now: func() time.Time { return now }})
	lk := member(kreis, "Landkreis Osnabrück", "Landkreis", federation.KindLandkreis, areaKreis, "0541 501-0")
	bi := member(bissendorf, "Gemeinde Bissendorf", "Bissendorf", federation.KindGemeinde, areaBissendorf, "05402 404-0")
	me := member(melle, "Stadt Melle", "Melle", federation.KindGemeinde, areaMelle, "05422 965-0")
	ab := member(abfall, "Abfallbetrieb Landkreis Osnabrück", "Abfallbetrieb", federation.KindUnternehmen, region.Area{}, "")
	ab.Scope = federation.Scope{Subtree: []region.Area{areaKreis}}

	network := offer(melle, 9, 0, "Brennholz kaufen", "Der Bauhof verkauft Brennholz, solange der Vorrat reicht.", areaMelle, federation.LevelNone, true)
	network.Reach = catalog.ReachNetwork
	bauplan := offer(kreis, 1, keyBauakte, "Bauplan einsehen", "Sie können Baupläne und Bauakten zu einem Grundstück ansehen oder Kopien bestellen.", areaKreis, federation.LevelSubstanziell, true)
	bauplan.Title["en"] = "View building plans"
	bauplan.Synonyms = []string{"Bauakte", "Bauakteneinsicht"}

	f.sources = []directory.Source{
		{Member: lk, Serial: 3, Fetched: fetched, Reachable: true, Catalogue: &catalog.Catalogue{
			Member: kreis, Serial: 3, Units: []catalog.Unit{unit("Fachdienst Bauen", "0541 501-11")},
			Offers: []catalog.Offer{
				bauplan,
				offer(kreis, 2, keyKfz, "Fahrzeug abmelden", "Sie melden Ihr Auto oder Motorrad ab.", areaKreis, federation.LevelHoch, true),
				offer(kreis, 3, keyConflict, "Parkausweis beantragen", "Sie brauchen einen Parkausweis.", areaBissendorf, federation.LevelBasis, true),
			},
		}},
		{Member: bi, Serial: 7, Fetched: now, Reachable: true, Catalogue: &catalog.Catalogue{
			Member: bissendorf, Serial: 7, Units: []catalog.Unit{unit("Bürgerbüro", "05402 404-12")},
			Offers: []catalog.Offer{
				offer(bissendorf, 1, keyHund, "Hund anmelden", "Sie halten einen Hund? Dann melden Sie ihn zur Hundesteuer an.", areaBissendorf, federation.LevelBasis, true),
				offer(bissendorf, 2, keyAusweis, "Personalausweis beantragen", "Sie brauchen einen neuen Ausweis.", areaBissendorf, federation.LevelNone, false),
				offer(bissendorf, 3, keyConflict, "Parkausweis beantragen", "Sie brauchen einen Parkausweis.", areaBissendorf, federation.LevelNone, false),
			},
		}},
		{Member: me, Serial: 2, Fetched: fetched, Stale: true, Catalogue: &catalog.Catalogue{
			Member: melle, Serial: 2, Units: []catalog.Unit{unit("Bauhof", "05422 965-77")},
			Offers: []catalog.Offer{
				network,
				offer(melle, 1, keyHund, "Hund anmelden", "Sie halten einen Hund? Dann melden Sie ihn zur Hundesteuer an.", areaMelle, federation.LevelBasis, true),
				offer(melle, 2, keyNobody, "Gewerbe anmelden", "Sie beginnen ein Gewerbe.", areaMelle, federation.LevelBasis, true),
			},
		}},
		{Member: ab, Serial: 1, Fetched: now, Reachable: true, Catalogue: &catalog.Catalogue{
			Member: abfall, Serial: 1, Units: []catalog.Unit{unit("Kundenservice", "05401 36-0")},
			Offers: []catalog.Offer{
				offer(abfall, 1, 0, "Sperrmüll anmelden", "Sie möchten große Sachen loswerden.", areaKreis, federation.LevelNone, false),
			},
		}},
	}
	f.dir.Replace(f.sources...)
	for _, s := range f.sources {
		f.network = append(f.network, web.Portal{
			Member: s.Member, Self: s.Member.ID == bissendorf, Reachable: s.Reachable, HasCopy: true, Stale: s.Stale,
			Fetched: s.Fetched, Serial: s.Serial, Offers: len(s.Catalogue.Offers), Since: time.Date(2026, 11, 22, 9, 12, 0, 0, time.UTC),
		})
	}
	f.cfg = web.Config{
		Self: bissendorf, Home: areaBissendorf, Area: areaKreis, Verbund: "Landkreis Osnabrück",
		Directory: f.dir, Register: reg, Network: f, Sessions: f, Reports: f, Demo: true, Now: func() time.Time { return now },
		Brand: brand.Brand{
			Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Color: brand.MustColor("#175c3a"),
			Wappen: brand.Image{Data: []byte(coat), Alt: "Wappen der Gemeinde Bissendorf (Beispiel)"}, Title: brand.Image{Data: []byte(hills)},
			Greeting: "Moin und willkommen in Bissendorf", Intro: "Wir zeigen Ihnen Angebote der Gemeinde, des Landkreises und unserer Nachbarn.",
			Contact: brand.Contact{Street: "Kirchplatz 1", PLZ: "49143", Ort: "Bissendorf", Phone: "05402 404-0", Email: "info@bissendorf.example"},
			Hours:   []string{"Montag bis Freitag 8 bis 12 Uhr", "Donnerstag auch 14 bis 18 Uhr"},
		},
	}
	return f
}

// edited returns a copy of a source with the next serial: what is published
// once is never changed.
func (f *fixture) edited(i int) directory.Source {
	s := f.sources[i]
	c := *s.Catalogue
	c.Offers, c.Units = slices.Clone(c.Offers), slices.Clone(c.Units)
	c.Serial++
	s.Catalogue, s.Serial = &c, c.Serial
	return s
}

func (f *fixture) web(t testing.TB) *web.Web {
	t.Helper()
	w, err := web.New(f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// routes is the table of paths of the citizen pages, as a portal has it.
func routes(w *web.Web) http.Handler {
	m := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /{$}": w.Start, "GET /suche": w.Suche, "GET /leistung/{leika}": w.Leistung, "GET /leistung/{leika}/{ort}": w.Leistung,
		"GET /angebot/{member}/{offer}": w.Angebot, "GET /zu/{member}/{offer}": w.Zu, "GET /ort": w.Ort,
		"GET /lebenslagen": w.Lebenslagen, "GET /lebenslage/{slug}": w.Lebenslage, "GET /leistungen": w.Leistungen,
		"GET /behoerden": w.Behoerden, "GET /behoerden/{id}": w.Behoerde, "GET /verbund": w.Verbund, "GET /konto": w.Konto,
		"/antrag/{slug}": func(rw http.ResponseWriter, r *http.Request) { w.Antrag(rw, r, formOf(r)) }, "GET /impressum": w.Impressum, "GET /datenschutz": w.Datenschutz,
		"GET /barrierefreiheit": w.Barrierefreiheit, "GET /leichte-sprache": w.LeichteSprache, "GET /gebaerdensprache": w.Gebaerdensprache,
		"/fehler-melden": w.FehlerMelden, "/barriere-melden": w.BarriereMelden, "GET /hilfe": w.Hilfe,
		"GET /marke.css": w.Marke, "GET /marke/wappen": w.Wappen, "GET /marke/titelbild": w.Titelbild, "GET /static/": w.Static,
		"/": w.NotFound, "GET /umzug": w.Umzug, "GET /einbetten": w.Einbetten, "GET /sitemap.xml": w.Sitemap, "GET /robots.txt": w.Robots,
		web.StayPath: w.NochDa, "GET /t/{page}": signonPages(w), "GET /t/konto/{page}": deskPages(w),
	} {
		m.HandleFunc(pattern, h)
	}
	return m
}

// formOf is the form's state that a page's query names.
func formOf(r *http.Request) web.Form {
	var f web.Form
	if r.URL.Query().Has("stufe") {
		f.Need = federation.LevelSubstanziell
	}
	if r.URL.Query().Has("entwurf") {
		f.Kept = map[string][]string{"name": {"Erika Muster"}, "anliegen": {"Ein <b>Dach</b>"}}
	}
	return f
}

// signonPages draws the pages of sign-on in each of their states.
func signonPages(w *web.Web) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		login := sso.LoginPage{Action: "/op/login", CSRF: "c", Handle: "h", Portal: "Stadt Melle", Level: federation.LevelBasis, Accounts: true}
		switch r.PathValue("page") {
		case "login":
			w.LoginPage(rw, r, http.StatusOK, login)
		case "wrong":
			login.Mistake, login.Username = sso.WrongPassword, "erika"
			login.Upstreams = []sso.UpstreamChoice{{ID: "bundid", Name: "BundID"}, {ID: "elster", Name: "ELSTER"}}
			w.LoginPage(rw, r, http.StatusOK, login)
		case "stepup":
			login.StepUp, login.Level, login.Accounts = true, federation.LevelHoch, false
			w.LoginPage(rw, r, http.StatusOK, login)
		case "choice":
			login.Search, login.Words = true, "Bissendorf"
			login.Upstreams = []sso.UpstreamChoice{{ID: "osna", Name: "Bürgerkonto Landkreis Osnabrück", Near: true}, {ID: "bundid", Name: "BundID"}}
			w.LoginPage(rw, r, http.StatusOK, login)
		case "nochoice":
			login.Search, login.Words, login.Accounts = true, "Zeppelin", false
			w.LoginPage(rw, r, http.StatusOK, login)
		case "link":
			w.LinkPage(rw, r, sso.LinkPage{Action: "/op/verknuepfen", CSRF: "c", Handle: "h", Portal: "Stadt Melle", Person: "Erika Muster", Upstream: "Online-Ausweis", Other: "ERIKA MUSTER"})
		case "confirm":
			w.ConfirmPage(rw, r, sso.ConfirmPage{Action: "/op/confirm", CSRF: "c", Handle: "h", Portal: "Stadt Melle", PortalURL: string(melle), Claims: []string{"name", "email"}, LoggedInAt: []string{"Gemeinde Bissendorf"}, Level: federation.LevelBasis, Person: "Erika Muster"})
		case "logout":
			w.LogoutPage(rw, r, sso.LogoutPage{Action: "/abmelden", CSRF: "c"})
		case "loggedout":
			w.LogoutPage(rw, r, sso.LogoutPage{Done: true, Source: "BundID", Results: []sso.LogoutResult{{Portal: "Stadt Melle", OK: true}, {Portal: "Landkreis Osnabrück"}}})
		case "fail":
			w.FailPage(rw, r, sso.FailPage{Status: http.StatusServiceUnavailable, Code: "temporarily_unavailable", ID: "7F3K-21QD", RetryAfter: 30})
		case "level":
			w.FailPage(rw, r, sso.FailPage{Status: http.StatusBadRequest, Code: "unmet_authentication_requirements", ID: "7F3K-21QD", Retry: "/anmelden"})
		case "again":
			w.FailPage(rw, r, sso.FailPage{Status: http.StatusBadRequest, Code: "login_required", ID: "7F3K-21QD", Retry: "/anmelden"})
		case "locked":
			login.Mistake, login.Wait, login.Passkey, login.Again = sso.TooManyTries, 12, "{}", true
			w.LoginPage(rw, r, http.StatusTooManyRequests, login)
		case "500":
			w.ServerError(rw, r, errors.New("disk on fire"))
		}
	}
}

func serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// deskPages draws the pages of the account desk in each of their states.
func deskPages(w *web.Web) http.HandlerFunc {
	own := &account.Account{ID: "a-1", Username: "erika", Claims: sso.Claims{Name: "Erika Muster", Email: "erika@example.org"}, Level: federation.LevelNiedrig, Created: fetched, Changed: fetched}
	told := []sso.LogoutResult{{Portal: "Stadt Melle", OK: true}, {Portal: "Landkreis Osnabrück"}}
	browsers := []desk.Session{
		{ID: "k1", Here: true, Began: fetched, Seen: now, Portals: []desk.Portal{{ID: string(melle), Name: "Stadt Melle", Since: fetched}, {ID: string(kreis), Name: "Landkreis Osnabrück", Since: now}}},
		{ID: "k2", Began: fetched, Seen: fetched},
	}
	keys := []passkey.Key{{ID: "p1", Name: "Mein Telefon", Created: fetched, Used: now, Synced: true}, {ID: "p2", Name: "Schlüssel", Created: now}}
	pages := map[string]desk.Page{
		"sessions": {Kind: desk.Sessions, Sessions: browsers}, "signedout": {Kind: desk.Sessions, Sessions: browsers[:1], Done: "alle", Results: told},
		"password": {Kind: desk.Password}, "badpassword": {Kind: desk.Password, Mistake: desk.BadPassword}, "newpassword": {Kind: desk.Password, Done: "done", Results: told},
		"nopasskeys": {Kind: desk.Passkeys, Options: "{}", Handle: "h"}, "passkeys": {Kind: desk.Passkeys, Keys: keys, Options: "{}", Handle: "h", Mistake: desk.BadName, Done: "neu"},
		"manykeys":  {Kind: desk.Passkeys, Keys: keys, Mistake: desk.KeyRefused},
		"history":   {Kind: desk.History, History: []ledger.Handover{{Client: string(melle), Name: "Stadt Melle", At: now, Level: federation.LevelNiedrig, Claims: []string{"name", "email"}}, {Client: string(kreis), Name: "Landkreis Osnabrück", At: fetched}}},
		"nohistory": {Kind: desk.History}, "data": {Kind: desk.Data}, "delete": {Kind: desk.Delete, Mistake: desk.NotAgreed}, "deleted": {Kind: desk.Delete, Done: "done", Results: told},
		"recover": {Kind: desk.Recover, Mistake: desk.BadCode, Username: "erika"}, "waiting": {Kind: desk.Recover, Mistake: desk.TooManyTries, Wait: 1}, "recovered": {Kind: desk.Recover, Done: "done"},
		"links": {Kind: desk.Links, Done: string(op.LinkTaken), Links: &op.LinkForm{Action: "/op/link", CSRF: "c", Handle: "h", Choices: []sso.UpstreamChoice{{ID: "bundid", Name: "BundID"}}, Linked: []op.Linked{{Key: "l", Name: "ELSTER", Since: fetched, Removable: true}}}},
	}
	return func(rw http.ResponseWriter, r *http.Request) {
		p, ok := pages[r.PathValue("page")]
		if !ok {
			w.NotFound(rw, r)
			return
		}
		p.Action, p.CSRF, p.Own, p.Account = r.URL.RequestURI(), "c", true, own
		if p.Username == "" {
			p.Username = own.Username
		}
		w.DeskPage(rw, r, http.StatusOK, p)
	}
}
