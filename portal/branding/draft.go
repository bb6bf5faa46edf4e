package branding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"rathausnetz/federation/store"
	"rathausnetz/portal/web/brand"
)

// Draft is what is being worked on. Without one it is what is published, with
// revision 0.
type Draft struct {
	Revision int // grows with each save; Save wants the one it was made from
	By       string
	At       time.Time
	Brand    brand.Brand
}

// Problem is something in a form that cannot be taken as it is.
type Problem struct {
	Field string // the form's name of it
	Text  string // German: what, and what to do
	// Proposal is a colour that could be taken instead.
	Proposal *brand.Color
}

// Picture is what a form says about one picture.
type Picture struct {
	Upload     []byte // empty: the one there is stays
	Remove     bool
	Alt        string
	Decorative bool // needs no alt text
	Rights     bool // the person may use the uploaded picture
}

// Form is everything a person can change [UX.md §3].
type Form struct {
	Revision int
	Brand    brand.Brand // without pictures and colour
	Color    string
	Wappen   Picture
	Title    Picture
}

// Limits of texts, in characters.
const (
	maxName     = 100
	maxGreeting = 120
	maxIntro    = 400
	maxLine     = 120
	maxHours    = 14
	maxLegal    = 40000
)

// Draft returns the draft; ok is false if there is none.
func (d *Desk) Draft(ctx context.Context) (out Draft, ok bool, err error) {
	r, err := d.read(ctx, draftKey)
	if errors.Is(err, store.ErrNotFound) {
		live, err := d.Live(ctx)
		return Draft{By: live.By, At: live.At, Brand: live.Brand}, false, err
	}
	if err != nil {
		return out, false, err
	}
	b, err := d.unpack(ctx, r)
	return Draft{Revision: r.Revision, By: r.By, At: r.At, Brand: b}, true, err
}

// Discard throws the draft away.
func (d *Desk) Discard(ctx context.Context) error { return d.cfg.Store.Delete(ctx, draftKey) }

// Save checks a form and keeps what is good of it; fields with a problem keep
// their former value, so that nothing else is lost. ErrOutdated if somebody
// else was faster.
func (d *Desk) Save(ctx context.Context, by string, f Form) (Draft, []Problem, error) {
	before, _, err := d.Draft(ctx)
	if err != nil {
		return before, nil, err
	}
	if before.Revision != f.Revision {
		return before, nil, ErrOutdated
	}
	next, problems := check(before.Brand, f)
	r, err := d.pack(ctx, next, pictureFor)
	if err != nil {
		return before, nil, err
	}
	r.By, r.Revision = by, f.Revision+1
	err = d.cfg.Store.Update(ctx, draftKey, func(old []byte) ([]byte, time.Duration, error) {
		var have record
		if old != nil {
			if err := json.Unmarshal(old, &have); err != nil {
				return nil, 0, err
			}
		}
		if have.Revision != f.Revision {
			return nil, 0, ErrOutdated
		}
		raw, err := json.Marshal(r)
		return raw, 0, err
	})
	if err != nil {
		return before, nil, fmt.Errorf("branding: draft: %w", err)
	}
	// Only now for ever: a form that loses leaves nothing behind.
	if _, err := d.pack(ctx, next, 0); err != nil {
		return before, nil, err
	}
	return Draft{Revision: r.Revision, By: by, At: r.At, Brand: next}, problems, nil
}

// checker notes problems and takes what is good.
type checker struct {
	next     brand.Brand
	problems []Problem
}

func (c *checker) bad(field, text string) {
	c.problems = append(c.problems, Problem{Field: field, Text: text})
}

// text takes a line or text of at most longest characters.
func (c *checker) text(field string, to *string, value string, longest int) {
	value = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "\n"))
	if n := utf8.RuneCountInString(value); n > longest {
		c.bad(field, fmt.Sprintf("Der Text hat %d Zeichen. Hier sind höchstens %d möglich. Bitte kürzen Sie ihn.", n, longest))
		return
	}
	*to = value
}

func check(before brand.Brand, f Form) (brand.Brand, []Problem) {
	c := checker{next: before}
	n, b := &c.next, &f.Brand
	if strings.TrimSpace(b.Name) == "" {
		c.bad("name", "Der Name fehlt. Bitte tragen Sie ihn ein, zum Beispiel „Gemeinde Bissendorf“.")
	} else {
		c.text("name", &n.Name, b.Name, maxName)
	}
	c.text("kurzname", &n.ShortName, b.ShortName, maxName)
	c.text("gruss", &n.Greeting, b.Greeting, maxGreeting)
	c.text("einleitung", &n.Intro, b.Intro, maxIntro)
	c.color(f.Color)
	c.contact(b.Contact)
	c.hours(b.Hours)
	n.TitleFocus = brand.Focus{X: min(max(b.TitleFocus.X, 0), 100), Y: min(max(b.TitleFocus.Y, 0), 100)}
	n.Lebenslagen = b.Lebenslagen
	for _, l := range []struct {
		field string
		to    *string
		value string
	}{
		{"impressum", &n.Legal.Impressum, b.Legal.Impressum}, {"datenschutz", &n.Legal.Datenschutz, b.Legal.Datenschutz},
		{"barrierefreiheit", &n.Legal.Barrierefreiheit, b.Legal.Barrierefreiheit}, {"leichte", &n.Legal.LeichteSprache, b.Legal.LeichteSprache},
		{"dgs", &n.Legal.Gebaerdensprache, b.Legal.Gebaerdensprache}, {"aufsicht", &n.Legal.Aufsicht, b.Legal.Aufsicht},
	} {
		c.text(l.field, l.to, l.value, maxLegal)
	}
	c.picture("wappen", &n.Wappen, f.Wappen)
	c.picture("titelbild", &n.Title, f.Title)
	return c.next, c.problems
}

// color takes a main colour that links can have on white [UX.md §3].
func (c *checker) color(s string) {
	v, err := brand.ParseColor(strings.TrimSpace(s))
	if err != nil {
		c.bad("farbe", "Das ist keine Farbe. Schreiben Sie sie zum Beispiel so: #175c3a")
		return
	}
	if ok, proposal := v.Readable(); !ok {
		ratio := strings.Replace(fmt.Sprintf("%.1f", brand.Contrast(v, brand.MustColor("#ffffff"))), ".", ",", 1)
		c.problems = append(c.problems, Problem{Field: "farbe", Proposal: &proposal, Text: fmt.Sprintf(
			"Die Farbe %s ist auf Weiß zu hell für Links (Kontrast %s zu 1, nötig sind 4,5 zu 1). Nehmen Sie zum Beispiel den dunkleren Ton %s.", v, ratio, proposal)})
		return
	}
	c.next.Color = v
}

func (c *checker) contact(k brand.Contact) {
	n := &c.next.Contact
	c.text("strasse", &n.Street, k.Street, maxLine)
	c.text("ort", &n.Ort, k.Ort, maxLine)
	c.text("telefon", &n.Phone, k.Phone, maxLine)
	if plz := strings.TrimSpace(k.PLZ); plz != "" && (len(plz) != 5 || strings.Trim(plz, "0123456789") != "") {
		c.bad("plz", "Eine Postleitzahl hat fünf Ziffern. Bitte prüfen Sie Ihre Eingabe.")
	} else {
		n.PLZ = plz
	}
	if mail := strings.TrimSpace(k.Email); mail != "" && (len(mail) > maxLine || strings.Count(mail, "@") != 1 || strings.HasPrefix(mail, "@") || strings.HasSuffix(mail, "@") || strings.ContainsAny(mail, " <>\"")) {
		c.bad("email", "Das ist keine E-Mail-Adresse. Bitte prüfen Sie Ihre Eingabe.")
	} else {
		n.Email = mail
	}
}

func (c *checker) hours(lines []string) {
	var out []string
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		if utf8.RuneCountInString(l) > maxLine {
			c.bad("zeiten", fmt.Sprintf("Eine Zeile hat mehr als %d Zeichen. Bitte kürzen Sie sie.", maxLine))
			return
		}
		out = append(out, l)
	}
	if len(out) > maxHours {
		c.bad("zeiten", fmt.Sprintf("Das sind mehr als %d Zeilen. Bitte fassen Sie die Zeiten zusammen.", maxHours))
		return
	}
	c.next.Hours = out
}

// picture takes an uploaded picture, cleaned; see brand.Sanitise.
func (c *checker) picture(field string, to *brand.Image, p Picture) {
	if p.Remove {
		*to = brand.Image{}
		return
	}
	if len(p.Upload) > 0 {
		if !p.Rights {
			c.bad(field+"-recht", "Bitte bestätigen Sie, dass Sie dieses Bild verwenden dürfen. Das Bild wurde nicht übernommen.")
			return
		}
		clean, err := brand.Sanitise(brand.Image{Data: p.Upload})
		if err != nil {
			c.bad(field, imageText(p.Upload))
			return
		}
		*to = clean
	}
	if to.IsZero() {
		return
	}
	alt := strings.TrimSpace(p.Alt)
	switch {
	case p.Decorative:
		to.Alt = ""
	case alt == "":
		c.bad(field+"-alt", "Die Beschreibung fehlt. Sagen Sie in wenigen Worten, was das Bild zeigt.")
	default:
		c.text(field+"-alt", &to.Alt, alt, maxLine)
	}
}

func imageText(data []byte) string {
	if len(data) > brand.MaxImageBytes {
		return fmt.Sprintf("Das Bild ist zu groß. Es darf höchstens %d Megabyte haben.", brand.MaxImageBytes>>20)
	}
	return fmt.Sprintf("Dieses Bild können wir nicht verwenden. Nehmen Sie eine Datei im Format SVG, PNG oder JPEG mit höchstens %d Pixeln je Seite.", brand.MaxImagePixels)
}
