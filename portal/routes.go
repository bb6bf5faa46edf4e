package portal

import (
	"net/http"

	"github.com/gorilla/mux"

	"rathausnetz/discovery"
	"rathausnetz/portal/admin"
	"rathausnetz/portal/trace"
	"rathausnetz/portal/web"
	"rathausnetz/sso/rp"
)

const (
	get  = "GET"
	post = "POST"
	both = "GET POST"
)

// route is one line of the table: methods, path, handler.
type route struct {
	methods string
	path    string
	handler http.Handler
}

// routes gives every path of the node its place. Below the table stand only
// the parts that a node may not have: hub, provider, demonstration forms.
func (n *Node) routes() http.Handler {
	w := n.web
	table := []route{
		// Citizen pages.
		{get, "/", fn(w.Start)},
		{get, "/suche", fn(w.Suche)},
		{get, "/leistung/{leika}", n.visited(w.Leistung)},
		{get, "/leistung/{leika}/{ort}", n.visited(w.Leistung)},
		{get, "/angebot/{member}/{offer}", n.visited(w.Angebot)},
		{get, "/zu/{member}/{offer}", fn(w.Zu)},
		{get, "/ort", fn(w.Ort)},
		{get, "/umzug", fn(w.Umzug)},
		{get, "/lebenslagen", fn(w.Lebenslagen)},
		{get, "/lebenslage/{slug}", fn(w.Lebenslage)},
		{get, "/leistungen", fn(w.Leistungen)},
		{get, "/behoerden", fn(w.Behoerden)},
		{get, "/behoerden/{id}", fn(w.Behoerde)},
		{get, "/verbund", fn(w.Verbund)},
		{get, "/konto", fn(w.Konto)},
		{both, web.StayPath, fn(w.NochDa)},
		{get, "/hilfe", fn(w.Hilfe)},
		{get, "/impressum", fn(w.Impressum)},
		{get, "/datenschutz", fn(w.Datenschutz)},
		{get, "/barrierefreiheit", fn(w.Barrierefreiheit)},
		{both, "/barriere-melden", fn(w.BarriereMelden)},
		{both, "/fehler-melden", fn(w.FehlerMelden)},
		{get, "/leichte-sprache", fn(w.LeichteSprache)},
		{get, "/gebaerdensprache", fn(w.Gebaerdensprache)},
		{get, "/einbetten", fn(w.Einbetten)},
		{get, "/sitemap.xml", fn(w.Sitemap)},
		{get, "/robots.txt", fn(w.Robots)},
		{get, "/marke.css", fn(w.Marke)},
		{get, "/marke/wappen", fn(w.Wappen)},
		{get, "/marke/titelbild", fn(w.Titelbild)},
		{get, "/static/{file:.*}", fn(w.Static)},

		// Signing in at this portal.
		{get, rp.LoginPath, fn(n.rp.Login)},
		{get, rp.CallbackPath + "{issuer}", fn(n.rp.Callback)},
		{both, rp.InitiatePath, fn(n.rp.Initiate)},
		{post, rp.BackchannelPath, fn(n.rp.BackchannelLogout)},
		{both, rp.LogoutPath, fn(n.rp.Logout)},

		// The node as a member of the federation.
		{get, "/.well-known/openid-federation", fn(n.configuration)},
		{get, "/federation/catalog", n.mirror.CatalogHandler()},
		{get, "/federation/chunk/{digest}", n.mirror.ChunkHandler()},
		{get, "/federation/mirror", n.mirror.MirrorHandler()},
		{both, discovery.FollowPath, fn(n.announcements)},

		// Operator pages; who may open which says the table of portal/admin.
		{both, admin.Root, n.admin},
		{both, admin.Root + "/{page:.*}", n.admin},

		{get, "/healthz", fn(n.healthz)},
		{get, "/readyz", fn(n.readyz)},
	}
	table = append(table, n.apiRoutes()...)
	table = append(table, n.reportRoutes()...)
	table = append(table, n.poolRoutes()...)
	if n.anchor != nil {
		for path, h := range n.anchor.Handlers() {
			table = append(table, route{both, path, h})
		}
	}
	if n.op != nil {
		table = append(table, n.providerRoutes()...)
		table = append(table, n.deskRoutes()...)
	}
	if n.cfg.Demo {
		table = append(table, route{both, "/antrag/{slug}", n.form(w.Antrag)})
	}
	return n.router(table)
}

// healthz says that the process runs.
func (n *Node) healthz(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }

// readyz says that this node can answer. A dead peer or a dead hub never makes
// it unready: it then answers with what it has, and says how old that is.
func (n *Node) readyz(w http.ResponseWriter, r *http.Request) {
	if err := n.ready(r.Context()); err != nil {
		n.log.Warn("not ready", "err", err)
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

func fn(f http.HandlerFunc) http.Handler { return f }

// router builds the one gorilla router of the node. Handlers read path
// variables with (*http.Request).PathValue and know nothing of it. Paths
// without variables are looked up in a table before: gorilla compares one
// pattern after the other, and most requests are for such paths.
func (n *Node) router(table []route) http.Handler {
	r := mux.NewRouter().UseEncodedPath()
	plain := exact{}
	for _, e := range table {
		r.Path(e.path).Methods(methods(e.methods)...).Handler(n.observe(e.path, pathValues(e.handler)))
		plain.add(e, n.observe(e.path, e.handler))
	}
	r.NotFoundHandler = n.observe("none", fn(n.web.NotFound))
	r.MethodNotAllowedHandler = n.observe("none", fn(methodNotAllowed))
	return trace.Handler(n.guard(plain.before(r)))
}
