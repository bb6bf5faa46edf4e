package blocklist

import (
	"html"
	"maps"
	"slices"
	"strings"

	"rathausnetz/federation/catalog"
)

// sayings are what a text says instead of a link, by language; German is the
// one for every other language, too, since pages mark German as such.
type sayings struct{ mark, note, online, before string }

func sayingsIn(lang string) sayings {
	if lang == "en" {
		return sayings{mark: " (link blocked)", before: "Note:",
			note: "We do not show a link to %. The network has blocked this address.", online: "We do not show the online form at %. The network has blocked this address."}
	}
	return sayings{mark: " (Link gesperrt)", before: "Hinweis:",
		note: "Einen Link zu % zeigen wir nicht. Der Verbund hat diese Adresse gesperrt.", online: "Den Online-Antrag bei % zeigen wir nicht. Der Verbund hat diese Adresse gesperrt."}
}

// Apply returns c without links to blocked hosts, c itself if there are none
// in it. In texts the words stay and say that their link is gone; an
// Onlinedienst at such a host is left out; the description says which host it
// is. Nothing of c is changed; the result shares with it what is not affected.
func (l *List) Apply(c *catalog.Catalogue) *catalog.Catalogue {
	if c == nil || len(l.now()) == 0 {
		return c
	}
	out := c
	own := func() {
		if out == c {
			clone := *c
			clone.Offers, clone.Units = slices.Clone(c.Offers), slices.Clone(c.Units)
			out = &clone
		}
	}
	for i := range c.Offers {
		if o := l.Offer(&c.Offers[i]); o != &c.Offers[i] {
			own()
			out.Offers[i] = *o
		}
	}
	for i := range c.Units {
		if u := l.Unit(&c.Units[i]); u != &c.Units[i] {
			own()
			out.Units[i] = *u
		}
	}
	return out
}

// Offer is Apply for one offer.
func (l *List) Offer(o *catalog.Offer) *catalog.Offer {
	p := pen{blocked: l.now()}
	if len(p.blocked) == 0 {
		return o
	}
	out := *o
	cloned := false
	for i := range o.Sections {
		t, changed := p.text(o.Sections[i].Text)
		if !changed {
			continue
		}
		if !cloned {
			out.Sections, cloned = slices.Clone(o.Sections), true
		}
		out.Sections[i].Text = t
	}
	var online []string
	kept := o.Onlinedienste[:0:0]
	for i := range o.Onlinedienste {
		if d, is := find(p.blocked, hostOf(o.Onlinedienste[i].URL)); is {
			online = add(online, d.Host)
		} else {
			kept = append(kept, o.Onlinedienste[i])
		}
	}
	if len(online) == 0 && len(p.hosts) == 0 {
		return o
	}
	if len(online) > 0 {
		out.Onlinedienste = kept
	}
	out.Sections = explain(out.Sections, online, p.hosts)
	return &out
}

// Unit is Apply for one unit.
func (l *List) Unit(u *catalog.Unit) *catalog.Unit {
	p := pen{blocked: l.now()}
	out := *u
	hours, _ := p.text(u.Hours)
	if d, is := find(p.blocked, hostOf(u.URL)); is {
		out.URL = ""
		p.hosts = add(p.hosts, d.Host)
	}
	if len(p.hosts) == 0 {
		return u
	}
	out.Hours = remark(hours, nil, p.hosts)
	return &out
}

// explain says in the description, which is always open, what is not shown.
func explain(sections []catalog.Section, online, hosts []string) []catalog.Section {
	sections = slices.Clone(sections)
	at := slices.IndexFunc(sections, func(s catalog.Section) bool { return s.Kind == catalog.Volltext })
	if at < 0 {
		at = 0
		if len(sections) > 0 && sections[0].Kind == catalog.Kurztext {
			at = 1
		}
		sections = slices.Insert(sections, at, catalog.Section{Kind: catalog.Volltext})
	}
	sections[at].Text = remark(sections[at].Text, online, hosts)
	return sections
}

// remark adds the sentences to a text in every language it has, in German and
// English if it has none.
func remark(t catalog.Text, online, hosts []string) catalog.Text {
	out := maps.Clone(t)
	if len(out) == 0 {
		out = catalog.Text{"de": "", "en": ""}
	}
	for lang := range out {
		s := sayingsIn(lang)
		var b strings.Builder
		for _, list := range []struct {
			hosts    []string
			sentence string
		}{{online, s.online}, {hosts, s.note}} {
			for _, h := range list.hosts {
				b.WriteString("<p><strong>" + s.before + "</strong> " + strings.Replace(list.sentence, "%", html.EscapeString(h), 1) + "</p>")
			}
		}
		out[lang] += b.String()
	}
	return out
}

func add(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// pen takes blocked links out of texts and notes their hosts.
type pen struct {
	blocked map[string]Decision
	hosts   []string
}

func (p *pen) text(t catalog.Text) (catalog.Text, bool) {
	out := t
	changed := false
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		s, is := p.strip(t[lang], sayingsIn(lang).mark)
		if !is {
			continue
		}
		if !changed {
			out, changed = maps.Clone(t), true
		}
		out[lang] = s
	}
	return out, changed
}

// strip works on the one form that markup has in a catalogue: an anchor is
// written <a href="…">, its attribute value escaped, and closed in order.
func (p *pen) strip(s, mark string) (string, bool) {
	const begin, end = `<a href="`, `</a>`
	if !strings.Contains(s, begin) {
		return s, false
	}
	var b strings.Builder
	var open []bool // of each open anchor, whether it was taken out
	changed := false
	for rest := s; ; {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		rest = rest[i:]
		switch {
		case strings.HasPrefix(rest, end):
			if n := len(open); n > 0 && open[n-1] {
				b.WriteString(mark)
			} else {
				b.WriteString(end)
			}
			open, rest = open[:max(len(open)-1, 0)], rest[len(end):]
		case strings.HasPrefix(rest, begin):
			address, tail, _ := strings.Cut(rest[len(begin):], `">`)
			d, is := find(p.blocked, hostOf(html.UnescapeString(address)))
			if is {
				p.hosts, changed = add(p.hosts, d.Host), true
			} else {
				b.WriteString(begin + address + `">`)
			}
			open, rest = append(open, is), tail
		default:
			b.WriteByte('<')
			rest = rest[1:]
		}
	}
	return b.String(), changed
}
