package brand

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	svgSpace    = "http://www.w3.org/2000/svg"
	maxSVGDepth = 64
)

// sanitiseSVG writes the drawing anew from allowed elements and attributes.
// Scripts, styles, event handlers, animation, foreign objects and every
// reference that does not begin with # are left out; a document type is
// refused, because it can define entities.
func sanitiseSVG(d []byte) ([]byte, error) {
	dec := xml.NewDecoder(bytes.NewReader(d))
	dec.Strict = true
	dec.Entity = nil
	var out bytes.Buffer
	var open []string
	skip := 0 // depth inside a dropped element
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: SVG: %v", ErrImage, err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return nil, fmt.Errorf("%w: SVG with a document type", ErrImage)
		case xml.StartElement:
			if len(open)+skip >= maxSVGDepth {
				return nil, fmt.Errorf("%w: SVG nested deeper than %d", ErrImage, maxSVGDepth)
			}
			if skip > 0 || !svgElements[t.Name.Local] || (t.Name.Space != svgSpace && t.Name.Space != "") || (len(open) == 0) != (t.Name.Local == "svg") {
				skip++
				continue
			}
			writeStart(&out, t, len(open) == 0)
			open = append(open, t.Name.Local)
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			fmt.Fprintf(&out, "</%s>", open[len(open)-1])
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); skip == 0 && n > 0 && (open[n-1] == "title" || open[n-1] == "desc") {
				escape(&out, string(t))
			}
		}
	}
	if out.Len() == 0 {
		return nil, fmt.Errorf("%w: no svg element", ErrImage)
	}
	return out.Bytes(), nil
}

func writeStart(out *bytes.Buffer, t xml.StartElement, root bool) {
	fmt.Fprintf(out, "<%s", t.Name.Local)
	if root {
		fmt.Fprintf(out, ` xmlns="%s"`, svgSpace)
	}
	for _, a := range t.Attr {
		name := a.Name.Local
		xlink := a.Name.Space == "http://www.w3.org/1999/xlink" && name == "href"
		if a.Name.Space != "" && !xlink {
			continue
		}
		if !svgAttributes[name] || !safeValue(name, a.Value) {
			continue
		}
		fmt.Fprintf(out, ` %s="`, name)
		escape(out, a.Value)
		out.WriteByte('"')
	}
	out.WriteByte('>')
}

func escape(out *bytes.Buffer, s string) { _ = xml.EscapeText(out, []byte(s)) } // a bytes.Buffer does not fail

// safeValue allows references only inside the same document.
func safeValue(name, v string) bool {
	compact := strings.ToLower(strings.Join(strings.Fields(v), ""))
	if name == "href" {
		return strings.HasPrefix(compact, "#")
	}
	if strings.ContainsAny(compact, "\\") || strings.Contains(compact, "javascript:") {
		return false
	}
	for rest := compact; ; {
		i := strings.Index(rest, "url(")
		if i < 0 {
			return true
		}
		rest = strings.TrimLeft(rest[i+len("url("):], `'"`)
		if !strings.HasPrefix(rest, "#") {
			return false
		}
	}
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// svgElements are drawing elements without behaviour; svgAttributes their
// geometry and paint. There is no style, class, on… or animation among them.
var (
	svgElements = set(`svg g defs title desc path rect circle ellipse line polyline polygon
		linearGradient radialGradient stop clipPath mask pattern use symbol`)
	svgAttributes = set(`id viewBox width height x y x1 y1 x2 y2 cx cy r rx ry fx fy d points transform
		preserveAspectRatio fill fill-opacity fill-rule clip-rule clip-path mask opacity stroke stroke-width
		stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset
		offset stop-color stop-opacity gradientUnits gradientTransform spreadMethod patternUnits
		patternContentUnits patternTransform maskUnits maskContentUnits clipPathUnits pathLength href`)
)
