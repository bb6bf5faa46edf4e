package markup

import (
	"html"
	"html/template"
	"io"
	"net/url"
	"strings"

	tokens "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// MaxBytes is the longest text that is drawn; what is longer is cut.
const MaxBytes = 64 << 10

// element is an allowed element: how it is opened and closed in the design.
type element struct{ open, close string }

func lookup(a atom.Atom) (element, bool) {
	switch a {
	case atom.P, atom.Div:
		return element{`<p class="kern-body">`, "</p>"}, true
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return element{`<p class="kern-body"><strong>`, "</strong></p>"}, true
	case atom.B, atom.Strong:
		return element{"<strong>", "</strong>"}, true
	case atom.I, atom.Em:
		return element{"<em>", "</em>"}, true
	case atom.Sup:
		return element{"<sup>", "</sup>"}, true
	case atom.Sub:
		return element{"<sub>", "</sub>"}, true
	case atom.Ul:
		return element{`<ul class="kern-list kern-list--bullet">`, "</ul>"}, true
	case atom.Ol:
		return element{`<ol class="kern-list kern-list--number">`, "</ol>"}, true
	case atom.Li:
		return element{"<li>", "</li>"}, true
	}
	return element{}, false
}

func block(a atom.Atom) bool {
	switch a {
	case atom.P, atom.Div, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol:
		return true
	}
	return false
}

// writer keeps the stack of open elements.
type writer struct {
	out  strings.Builder
	open []atom.Atom
	end  []string
}

func (w *writer) push(a atom.Atom, e element) {
	w.out.WriteString(e.open)
	w.open = append(w.open, a)
	w.end = append(w.end, e.close)
}

func (w *writer) pop() {
	n := len(w.open) - 1
	w.out.WriteString(w.end[n])
	w.open, w.end = w.open[:n], w.end[:n]
}

func (w *writer) inside(atoms ...atom.Atom) bool {
	for i := len(w.open) - 1; i >= 0; i-- {
		for _, a := range atoms {
			if w.open[i] == a {
				return true
			}
		}
	}
	return false
}

// closeTo pops until a was popped; nothing happens if a is not open.
func (w *writer) closeTo(a atom.Atom) {
	if !w.inside(a) {
		return
	}
	for len(w.open) > 0 {
		top := w.open[len(w.open)-1]
		w.pop()
		if top == a {
			return
		}
	}
}

// closeText ends a paragraph or heading (with what is open in it): blocks do
// not nest in those.
func (w *writer) closeText() {
	for i, a := range w.open {
		if block(a) && a != atom.Ul && a != atom.Ol {
			for len(w.open) > i {
				w.pop()
			}
			return
		}
	}
}

const maxDepth = 12

// HTML draws text, plain or reduced HTML, as blocks.
func HTML(text string) template.HTML {
	if len(text) > MaxBytes {
		text = strings.ToValidUTF8(text[:MaxBytes], "")
	}
	w := &writer{}
	z := tokens.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case tokens.ErrorToken:
			if z.Err() != io.EOF {
				return ""
			}
			for len(w.open) > 0 {
				w.pop()
			}
			return template.HTML(w.out.String())
		case tokens.TextToken:
			w.text(string(z.Text()))
		case tokens.StartTagToken, tokens.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Script || t.DataAtom == atom.Style {
				skip(z, t.DataAtom)
				continue
			}
			w.start(t)
		case tokens.EndTagToken:
			if t := z.Token(); t.DataAtom == atom.A {
				w.closeTo(atom.A)
			} else if _, ok := lookup(t.DataAtom); ok {
				w.closeTo(t.DataAtom)
			}
		}
	}
}

func skip(z *tokens.Tokenizer, until atom.Atom) {
	for {
		switch z.Next() {
		case tokens.ErrorToken:
			return
		case tokens.EndTagToken:
			if z.Token().DataAtom == until {
				return
			}
		}
	}
}

func (w *writer) text(s string) {
	if strings.TrimSpace(s) == "" {
		if len(w.open) > 0 && w.open[len(w.open)-1] != atom.Ul && w.open[len(w.open)-1] != atom.Ol {
			w.out.WriteByte(' ')
		}
		return
	}
	w.place()
	w.out.WriteString(html.EscapeString(s))
}

// place makes sure that inline content stands in a block or list item.
func (w *writer) place() {
	if len(w.open) == 0 {
		e, _ := lookup(atom.P)
		w.push(atom.P, e)
		return
	}
	if top := w.open[len(w.open)-1]; top == atom.Ul || top == atom.Ol {
		e, _ := lookup(atom.Li)
		w.push(atom.Li, e)
	}
}

func (w *writer) start(t tokens.Token) {
	if t.DataAtom == atom.Br {
		w.place()
		w.out.WriteString("<br>")
		return
	}
	if len(w.open) >= maxDepth {
		return
	}
	if t.DataAtom == atom.A {
		w.link(t)
		return
	}
	e, ok := lookup(t.DataAtom)
	if !ok {
		return
	}
	switch {
	case t.DataAtom == atom.Li:
		if !w.inside(atom.Ul, atom.Ol) {
			w.closeText()
			ul, _ := lookup(atom.Ul)
			w.push(atom.Ul, ul)
		}
		for len(w.open) > 0 {
			if top := w.open[len(w.open)-1]; top == atom.Ul || top == atom.Ol {
				break
			}
			w.pop()
		}
	case block(t.DataAtom):
		w.closeText()
		if w.inside(atom.Strong, atom.B, atom.Em, atom.I, atom.Sup, atom.Sub, atom.A) {
			return // a block inside a word: keep the text, drop the block
		}
		if n := len(w.open); n > 0 && (w.open[n-1] == atom.Ul || w.open[n-1] == atom.Ol) {
			w.place()
		}
	default:
		w.place()
	}
	w.push(t.DataAtom, e)
}

func (w *writer) link(t tokens.Token) {
	w.closeTo(atom.A)
	for _, a := range t.Attr {
		if a.Key == "href" && safe(a.Val) {
			w.place()
			w.push(atom.A, element{`<a class="kern-link" rel="noopener" href="` + html.EscapeString(strings.TrimSpace(a.Val)) + `">`, "</a>"})
			return
		}
	}
}

func safe(ref string) bool {
	u, err := url.Parse(strings.TrimSpace(ref))
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Scheme) {
	case "https":
		return u.Host != "" && u.User == nil
	case "mailto", "tel":
		return u.Opaque != ""
	}
	return false
}

// Plain returns text without markup, white space folded: for summaries.
func Plain(text string) string {
	if len(text) > MaxBytes {
		text = strings.ToValidUTF8(text[:MaxBytes], "")
	}
	var out strings.Builder
	z := tokens.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case tokens.ErrorToken:
			return strings.Join(strings.Fields(out.String()), " ")
		case tokens.TextToken:
			out.Write(z.Text())
		case tokens.StartTagToken, tokens.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Script || t.DataAtom == atom.Style {
				skip(z, t.DataAtom)
			}
			out.WriteByte(' ')
		case tokens.EndTagToken:
			if t := z.Token(); block(t.DataAtom) || t.DataAtom == atom.Li {
				out.WriteByte(' ')
			}
		}
	}
}
