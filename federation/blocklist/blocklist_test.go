package blocklist_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
)

func TestParseHost(t *testing.T) {
	for in, want := range map[string]string{
		"example.org": "example.org", " WWW.Example.Org. ": "www.example.org", "müller.example": "xn--mller-kva.example",
		"192.0.2.7": "192.0.2.7", "2001:DB8::1": "2001:db8::1", "boese.localhost": "boese.localhost", "_x.example.org": "_x.example.org",
	} {
		if got, err := blocklist.ParseHost(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", ".", "org", "co.uk", "localhost", "https://example.org", "example.org/x", "example.org:443", "*.example.org", "a b.example", "github.io", strings.Repeat("a.", 130) + "org"} {
		if got, err := blocklist.ParseHost(in); !errors.Is(err, blocklist.ErrHost) {
			t.Errorf("%q was taken as %q", in, got)
		}
	}
}

const hub = federation.EntityID("https://kreis.example")

func list(hosts ...string) *blocklist.List {
	l := &blocklist.List{}
	for _, h := range hosts {
		l.Take(blocklist.Decision{Issuer: hub, Host: h, Blocked: true, Generation: 1})
	}
	return l
}

// A blocked host stands for itself and everything below it, however it is
// written.
func TestCovers(t *testing.T) {
	l := list("example.org", "www.example.net", "xn--mller-kva.example", "2001:db8::1")
	for address, want := range map[string]bool{
		"https://example.org": true, "https://www.example.org/x": true, "https://a.b.EXAMPLE.org:8443/": true, "http://example.org.": true,
		"https://badexample.org": false, "https://example.org.evil.example": false, "https://evil.example/?u=https://example.org": false,
		"https://www.example.net": true, "https://x.www.example.net": true, "https://example.net": false,
		"https://müller.example/": true, "https://MÜLLER.example/": true, "https://[2001:db8:0::1]/": true, "https://user@example.org/": true,
		"mailto:x@example.org": false, "": false, "%": false, "//example.org/x": true,
	} {
		if _, got := l.Blocked(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// Only a newer decision of the same issuer changes anything; one issuer cannot
// take back what another has blocked.
func TestTake(t *testing.T) {
	l := &blocklist.List{}
	d := blocklist.Decision{Issuer: hub, Host: "example.org", Blocked: true, Generation: 5}
	if !l.Take(d) || l.Take(d) {
		t.Error("a decision is news once")
	}
	v := l.Version()
	old := d
	old.Generation, old.Blocked = 4, false
	if l.Take(old) || l.Version() != v {
		t.Error("an old decision was taken")
	}
	land := blocklist.Decision{Issuer: "https://land.example", Host: "example.org", Blocked: true, Generation: 1}
	d.Generation, d.Blocked = 6, false
	if !l.Take(land) || !l.Take(d) {
		t.Error("not taken")
	}
	if _, is := l.Blocked("https://example.org"); !is {
		t.Error("the hub has opened what the Land has closed")
	}
	if !l.Keep(func(id federation.EntityID) bool { return id == hub }) {
		t.Error("nothing was forgotten")
	}
	if _, is := l.Blocked("https://example.org"); is || len(l.All()) != 1 {
		t.Error("a former issuer still counts")
	}
}

func TestTakeIsBounded(t *testing.T) {
	l := &blocklist.List{}
	for i := range blocklist.MaxDecisions + 10 {
		l.Take(blocklist.Decision{Issuer: hub, Host: fmt.Sprintf("h%d.example", i), Blocked: true, Generation: 1})
	}
	if n := len(l.All()); n != blocklist.MaxDecisions {
		t.Errorf("%d decisions are kept", n)
	}
	// What was taken back makes room.
	l.Take(blocklist.Decision{Issuer: hub, Host: "h3.example", Generation: 2})
	if !l.Take(blocklist.Decision{Issuer: hub, Host: "neu.example", Blocked: true, Generation: 1}) || len(l.All()) != blocklist.MaxDecisions {
		t.Error("there is no room for a new one")
	}
}

func TestConcurrent(t *testing.T) {
	l := &blocklist.List{}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for g := range 200 {
				l.Take(blocklist.Decision{Issuer: hub, Host: fmt.Sprintf("h%d.example", g%7), Blocked: (g+i)%2 == 0, Generation: uint64(g)})
				l.Blocked("https://h1.example/")
			}
		})
	}
	wg.Wait()
}

func example() *catalog.Catalogue {
	return &catalog.Catalogue{
		Offers: []catalog.Offer{
			{ID: "t:1", Title: catalog.Text{"de": "Hund anmelden"}, Sections: []catalog.Section{
				{Kind: catalog.Kurztext, Text: catalog.Text{"de": `<p>Kurz.</p>`}},
				{Kind: catalog.Formulare, Text: catalog.Text{
					"de": `<p>Das <a href="https://www.example.org/f?a=1&amp;b=2"><strong>Formular</strong></a> und <a href="https://gut.example/">mehr</a>.</p>`,
					"en": `<p>The <a href="https://example.org/en">form</a>.</p>`,
				}},
			}, Onlinedienste: []catalog.Onlinedienst{{ID: "t:o", URL: "https://example.org/antrag"}, {ID: "t:p", URL: "https://gut.example/antrag"}}},
			{ID: "t:2", Title: catalog.Text{"de": "Baum fällen"}, Sections: []catalog.Section{{Kind: catalog.Volltext, Text: catalog.Text{"de": `<p><a href="https://gut.example/x">Gut</a></p>`}}},
				Onlinedienste: []catalog.Onlinedienst{{ID: "t:q", URL: "https://gut.example/antrag"}}},
		},
		Units: []catalog.Unit{{ID: "t:u", Name: catalog.Text{"de": "Amt"}, URL: "https://amt.example.org"}, {ID: "t:v", Name: catalog.Text{"de": "Hof"}, URL: "https://gut.example"}},
	}
}

func TestApply(t *testing.T) {
	c := example()
	before, _ := json.Marshal(c)
	out := list("example.org").Apply(c)
	if after, _ := json.Marshal(c); string(after) != string(before) {
		t.Fatal("what was signed has changed")
	}
	raw, _ := json.Marshal(out)
	if strings.Contains(string(raw), "//example.org") || strings.Contains(string(raw), "//www.example.org") || strings.Contains(string(raw), "amt.example.org") {
		t.Errorf("a link is left: %s", raw)
	}
	o := out.Offers[0]
	if got, want := o.Section(catalog.Formulare)["de"], `<p>Das <strong>Formular</strong> (Link gesperrt) und <a href="https://gut.example/">mehr</a>.</p>`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := o.Section(catalog.Formulare)["en"], `<p>The form (link blocked).</p>`; got != want {
		t.Errorf("got %s", got)
	}
	if len(o.Onlinedienste) != 1 || o.Onlinedienste[0].ID != "t:p" {
		t.Errorf("online services %v", o.Onlinedienste)
	}
	text := o.Section(catalog.Volltext)
	if !strings.Contains(text["de"], "Den Online-Antrag bei example.org zeigen wir nicht.") || !strings.Contains(text["de"], "Einen Link zu example.org zeigen wir nicht.") || !strings.Contains(text["en"], "has blocked this address") {
		t.Errorf("the description does not say so: %v", text)
	}
	if o.Sections[0].Kind != catalog.Kurztext || o.Sections[1].Kind != catalog.Volltext || o.Sections[2].Kind != catalog.Formulare {
		t.Error("the order of sections is lost")
	}
	for _, s := range o.Sections {
		for lang, x := range s.Text {
			if !markup.IsClean(x) {
				t.Errorf("%s %s is not clean: %s", s.Kind, lang, x)
			}
		}
	}
	if out.Units[0].URL != "" || !strings.Contains(out.Units[0].Hours["de"], "example.org") || out.Units[1].URL != "https://gut.example" {
		t.Errorf("units %+v", out.Units)
	}
	if &out.Offers[1].Sections[0] != &c.Offers[1].Sections[0] {
		t.Error("what is not affected was copied")
	}
	if got := list("anders.example").Apply(c); got != c {
		t.Error("nothing is blocked, but a copy was made")
	}
	if got := (&blocklist.List{}).Apply(c); got != c {
		t.Error("an empty list made a copy")
	}
	if (&blocklist.List{}).Apply(nil) != nil {
		t.Error("nothing became something")
	}
}

func FuzzApply(f *testing.F) {
	f.Add(`<p><a href="https://example.org/">x</a></p>`)
	f.Add(`<a href="https://example.org"><a href="https://gut.example/">x</a></a>`)
	f.Add(`<a href="`)
	clean := markup.New()
	l := list("example.org")
	f.Fuzz(func(t *testing.T, s string) {
		s = clean.HTML(s)
		o := &catalog.Offer{Sections: []catalog.Section{{Kind: catalog.Hinweise, Text: catalog.Text{"de": s}}}}
		got := l.Offer(o).Section(catalog.Hinweise)["de"]
		if !markup.IsClean(got) {
			t.Errorf("not clean: %q", got)
		}
		for rest := got; ; {
			_, after, ok := strings.Cut(rest, `href="`)
			if !ok {
				break
			}
			if _, is := l.Blocked(strings.SplitN(after, `"`, 2)[0]); is {
				t.Errorf("a link is left in %q", got)
			}
			rest = after
		}
	})
}

var sink *catalog.Catalogue

func BenchmarkApply(b *testing.B) {
	c := example()
	one := c.Offers[1]
	for range 5000 {
		c.Offers = append(c.Offers, one)
	}
	l := list("anders.example")
	for b.Loop() {
		sink = l.Apply(c)
	}
}

func TestDecisionJSON(t *testing.T) {
	b, err := json.Marshal(blocklist.Decision{Issuer: hub, Host: "example.org", Blocked: true, Generation: 7, Reason: "Betrug", At: time.Unix(1_800_000_000, 0).UTC()})
	if err != nil || !strings.Contains(string(b), `"host":"example.org"`) {
		t.Errorf("%s %v", b, err)
	}
}
