package brand

import (
	"errors"
	"fmt"
	"strings"
)

// ErrBrand is wrapped by every fault that Check finds.
var ErrBrand = errors.New("brand: not usable")

// Brand is the appearance of one portal. The fields are exactly those of the
// branding form; nothing else is themeable.
type Brand struct {
	Name        string   // "Gemeinde Bissendorf"
	ShortName   string   // "Bissendorf"
	Wappen      Image    // SVG or PNG
	Title       Image    // the wide picture of the start page; may be empty
	TitleFocus  Focus    // what stays visible when the title image is cropped
	Color       Color    // the main colour, as chosen
	Greeting    string   // heading of the start page
	Intro       string   // one or two sentences below it
	Contact     Contact  // shown on every page
	Hours       []string // opening hours, one line each
	Legal       Legal
	Lebenslagen []string // slugs in the wanted order; unknown and missing ones follow in the usual order
}

// Image is a picture as uploaded; see Sanitise. The zero value is no picture.
type Image struct {
	Type string // media type, set by Sanitise
	Data []byte
	Alt  string // empty: decorative
}

// IsZero reports whether there is no picture.
func (i Image) IsZero() bool { return len(i.Data) == 0 }

// Focus is a point of a picture in percent from the left and the top; the
// zero value means the middle.
type Focus struct{ X, Y int }

func (f Focus) percent() (x, y int) {
	if f == (Focus{}) {
		return 50, 50
	}
	return min(max(f.X, 0), 100), min(max(f.Y, 0), 100)
}

// Contact is how to reach the municipality.
type Contact struct {
	Street, PLZ, Ort, Phone, Email string
}

// Legal holds the texts of the pages the law asks for: plain text, one
// paragraph per blank line. Empty ones are answered with a template that
// names Name and Contact.
type Legal struct {
	Impressum, Datenschutz, Barrierefreiheit string
	LeichteSprache, Gebaerdensprache         string
	// Aufsicht is the enforcement body named in the accessibility statement.
	Aufsicht string
}

// Check returns every fault at once (errors.Join), nil if the brand can be
// shown. A main colour that is too light is not a fault here: Palette falls
// back to a darker tone, and Color.Readable says so.
func (b *Brand) Check() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrBrand}, args...)...))
	}
	if strings.TrimSpace(b.Name) == "" {
		bad("name is empty")
	}
	for label, v := range map[string]string{"name": b.Name, "short name": b.ShortName, "greeting": b.Greeting} {
		if len(v) > 200 {
			bad("%s has %d bytes, at most 200 are shown", label, len(v))
		}
	}
	if len(b.Intro) > 1000 {
		bad("intro has %d bytes, at most 1000 are shown", len(b.Intro))
	}
	for label, img := range map[string]Image{"Wappen": b.Wappen, "title image": b.Title} {
		if img.IsZero() {
			continue
		}
		if _, err := Sanitise(img); err != nil {
			bad("%s: %v", label, err)
		}
	}
	return errors.Join(errs...)
}
