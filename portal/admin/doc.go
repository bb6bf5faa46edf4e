// Package admin is the frame of the operator pages under /verwaltung: the
// entrance, who may open what, protection of every form, the layout, and the
// list of staff. The pages themselves come from sections: admin/hub for the
// Verbund, others beside it.
//
// # How to add pages
//
// A package of its own returns a Section, and portal/admin.go hands it to New:
//
//	//go:embed templates
//	var templates embed.FS
//
//	func (o *Office) Section() admin.Section {
//		return admin.Section{
//			Name: "Angebot", Path: "/verwaltung/angebot", Templates: templates,
//			Home: o.home, // optional: its part of the page /verwaltung
//			Pages: []admin.Page{
//				{Method: "GET", Path: "/verwaltung/angebot/links", Nav: "Links", Roles: staff.Redaktion, Serve: o.links},
//				{Method: "POST", Path: "/verwaltung/angebot/links/pruefen", Action: "links-check", Roles: staff.Redaktion, Serve: o.check},
//				{Method: "POST", Path: "/verwaltung/marke/freigeben", Action: "brand-publish", Serve: o.publish}, // Leitung alone
//			},
//		}
//	}
//
// The table of all sections' pages is the one place that says who may do what:
// the router asks it, and admintest.Walk goes through it with every role and
// with none. Leitung may do everything and need not be named. Paths are patterns of
// net/http.ServeMux; handlers read variables with PathValue. An entity ID holds
// slashes: pass it as a parameter.
//
// A handler returns an Answer and never writes itself:
//
//	func (o *Office) links(q *admin.Request) (*admin.Answer, error) {
//		return q.View("links", "Links", data), nil // templates/links.html, title, .Page in the template
//	}
//
//	func (o *Office) check(q *admin.Request) (*admin.Answer, error) {
//		q.About(subject, "3 Links geprüft")           // what the audit trail says beside the Action
//		return q.Redirect("/verwaltung/angebot/links", "Die Prüfung läuft."), nil
//	}
//
// A verb (POST) needs an Action: once the handler has succeeded, the frame writes it
// into the audit trail under the number of the account, and only then
// answers. Verbs that write the trail themselves (those of federation/anchor)
// say so with Page.Audited and are given q.By(). Bad input is answered with
// q.Again (status 422, same page) or a *Problem; ErrNotFound is the 404 page;
// any other error is the 500 page with a reference, its text only in the log.
//
// A template file defines "main"; files in templates/parts are shared by the
// section. The frame has the parts "top" (breadcrumb, title, notices), "csrf"
// (the hidden field every form needs: {{template "csrf" $}}), "alert", "badge", "field",
// "area", "pager" and the functions date, moment, ago, number, icon, badge, alerts, dict,
// the, to, of. Classes are KERN's and pv-; no inline style, no script.
//
// What it leaves to others: accounts, roles and sessions (admin/staff), proof
// of identity (admin/signin), what a verb does (federation/…, portal).
package admin
