package xzufi

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"rathausnetz/federation/xzufi/token"
)

// maxNodes is the number of elements one record may have.
const maxNodes = 20_000

// tree is one record in memory. It is reused from record to record, so that
// reading allocates only for what is kept.
type tree struct {
	nodes []node
	attrs []token.Attr
	data  []byte
	space string // the namespace of the message
	limit int    // bytes of data
}

type node struct {
	space, name       string
	line              int
	attrs             [2]int // range of tree.attrs
	text              [2]int // range of tree.data
	first, last, next int32  // 0 means none: the record itself is nobody's child
	used              bool   // somebody has asked for it
}

var errRecordLimit = errors.New("xzufi: one record is too large")

// build reads the element whose start tag t has just returned.
func (tr *tree) build(t *token.Reader) error {
	tr.nodes, tr.attrs, tr.data = tr.nodes[:0], tr.attrs[:0], tr.data[:0]
	tr.open(t)
	stack := []int32{0}
	for len(stack) > 0 {
		kind, err := t.Next()
		if err != nil {
			return err
		}
		at := stack[len(stack)-1]
		switch kind {
		case token.Start:
			if len(tr.nodes) == maxNodes {
				return fmt.Errorf("%w: more than %d elements", errRecordLimit, maxNodes)
			}
			child := tr.open(t)
			if parent := &tr.nodes[at]; parent.first == 0 {
				parent.first, parent.last = child, child
			} else {
				tr.nodes[parent.last].next, parent.last = child, child
			}
			stack = append(stack, child)
		case token.End:
			stack = stack[:len(stack)-1]
		case token.Text:
			if err := tr.add(at, t.Text()); err != nil {
				return err
			}
		case token.EOF:
			return errRecordLimit // not reached: the tokenizer refuses an open element
		}
	}
	return nil
}

func (tr *tree) open(t *token.Reader) int32 {
	from := len(tr.attrs)
	tr.attrs = append(tr.attrs, t.Attrs()...)
	tr.nodes = append(tr.nodes, node{
		space: t.Space(), name: t.Local(), line: t.Line(),
		attrs: [2]int{from, len(tr.attrs)}, text: [2]int{len(tr.data), len(tr.data)},
	})
	return int32(len(tr.nodes) - 1)
}

// add appends text to a node. The blanks that indent children are left out.
func (tr *tree) add(at int32, text []byte) error {
	n := &tr.nodes[at]
	if (n.text[0] == n.text[1] || n.first != 0) && len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if len(tr.data)+len(text) > tr.limit {
		return fmt.Errorf("%w: more than %d bytes of text", errRecordLimit, tr.limit)
	}
	if n.text[1] != len(tr.data) { // children have added theirs in between
		from := len(tr.data)
		tr.data = append(tr.data, tr.data[n.text[0]:n.text[1]]...)
		n.text[0] = from
	}
	tr.data = append(tr.data, text...)
	n.text[1] = len(tr.data)
	return nil
}

// elem is one element of a tree.
type elem struct {
	t *tree
	i int32
}

func (e elem) node() *node { return &e.t.nodes[e.i] }
func (e elem) ok() bool    { return e.t != nil }
func (e elem) line() int   { return e.node().line }

// each yields the children with a local name, in the message's namespace or
// in none, and marks them as understood.
func (e elem) each(name string) iter.Seq[elem] {
	return func(yield func(elem) bool) {
		if !e.ok() {
			return
		}
		for i := e.node().first; i != 0; i = e.t.nodes[i].next {
			n := &e.t.nodes[i]
			if n.name == name && (n.space == e.t.space || n.space == "") {
				n.used = true
				if !yield(elem{e.t, i}) {
					return
				}
			}
		}
	}
}

// child returns the first child with a name; the others stay uncounted as not
// understood. The zero elem stands for "none" and has no children.
func (e elem) child(name string) elem {
	for c := range e.each(name) {
		return c
	}
	return elem{}
}

// text returns the element's own text, trimmed; "" for the zero elem.
func (e elem) text() string {
	if !e.ok() {
		return ""
	}
	n := e.node()
	return string(bytes.TrimSpace(e.t.data[n.text[0]:n.text[1]]))
}

func (e elem) attr(name string) string {
	if !e.ok() {
		return ""
	}
	n := e.node()
	for _, a := range e.t.attrs[n.attrs[0]:n.attrs[1]] {
		if a.Local == name && a.Space == "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// code returns the value of a code element: its child code, or its own text.
// What else it holds, such as the name of the code, is known and not needed.
func (e elem) code() string {
	if !e.ok() {
		return ""
	}
	e.known()
	if c := e.child("code"); c.ok() {
		return c.text()
	}
	return e.text()
}

// known marks everything below e as understood.
func (e elem) known() {
	if !e.ok() {
		return
	}
	for i := e.node().first; i != 0; i = e.t.nodes[i].next {
		e.t.nodes[i].used = true
		elem{e.t, i}.known()
	}
}

// redundant marks what repeats other elements and is therefore not kept: the
// parts of the key, and the list of languages.
func (e elem) redundant() {
	for _, name := range [...]string{"struktur", "sprachversion"} {
		for c := range e.each(name) {
			c.known()
		}
	}
}

// unused calls skip with the name of every element nobody has asked for,
// below an element somebody has asked for.
func (e elem) unused(skip func(name string)) {
	for i := e.node().first; i != 0; i = e.t.nodes[i].next {
		if n := &e.t.nodes[i]; !n.used {
			skip(n.name)
		} else {
			elem{e.t, i}.unused(skip)
		}
	}
}
