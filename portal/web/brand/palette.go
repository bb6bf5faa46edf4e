package brand

import (
	"fmt"
	"strings"
)

// The least contrasts [WCAG §1.4.3, §1.4.6, §1.4.11].
const (
	textContrast   = 4.5
	strongContrast = 7.0
)

// Palette is everything that follows from one main colour.
type Palette struct {
	Bar, OnBar Color // the menu bar keeps the main colour, light and dark
	Light      Tones
	Dark       Tones
}

// Tones are the derived colours of one mode.
type Tones struct {
	Brand   Color // links, buttons, marks: 4.5:1 on the page (dark mode: 7:1)
	OnBrand Color // text on Brand
	Soft    Color // a tinted ground; Brand and text stay readable on it
}

// Readable reports whether c can be the colour of links on white, and the
// nearest darker tone of the same hue that can (c itself if it is readable).
func (c Color) Readable() (ok bool, proposal Color) {
	if Contrast(c, white) >= textContrast {
		return true, c
	}
	return false, c.darkenUntil(func(x Color) bool { return Contrast(x, white) >= textContrast })
}

const step = 0.005 // of OKLCH lightness; smaller than the eye can tell

func (c Color) darkenUntil(good func(Color) bool) Color {
	o := c.oklch()
	for ; o.L > 0; o.L -= step {
		if x := o.color(); good(x) {
			return x
		}
	}
	return black
}

func (c Color) lightenUntil(good func(Color) bool) Color {
	o := c.oklch()
	for ; o.L < 1; o.L += step {
		if x := o.color(); good(x) {
			return x
		}
	}
	return white
}

// Palette derives the tones of c. They are readable whatever c is.
func (c Color) Palette() Palette {
	o := c.oklch()
	p := Palette{Bar: c, OnBar: on(c)}

	p.Light.Soft = oklch{0.966, min(o.C, 0.018), o.H}.color()
	p.Light.Brand = c
	if !lightGood(c, p.Light.Soft) {
		p.Light.Brand = c.darkenUntil(func(x Color) bool { return lightGood(x, p.Light.Soft) })
	}
	p.Light.OnBrand = on(p.Light.Brand)

	p.Dark.Soft = oklch{0.26, min(o.C, 0.045), o.H}.color()
	soft := oklch{max(o.L, 0.72), min(o.C, 0.11), o.H}.color()
	p.Dark.Brand = soft.lightenUntil(func(x Color) bool {
		return Contrast(x, darkGround) >= strongContrast && Contrast(x, p.Dark.Soft) >= strongContrast
	})
	p.Dark.OnBrand = oklch{0.2, min(o.C, 0.05), o.H}.color()
	return p
}

func lightGood(x, soft Color) bool {
	return Contrast(x, white) >= textContrast && Contrast(x, soft) >= textContrast
}

// on returns the text colour for ground: white where it is readable, else the
// darker choice with the better contrast.
func on(ground Color) Color {
	switch {
	case Contrast(white, ground) >= textContrast:
		return white
	case Contrast(ink, ground) >= textContrast:
		return ink
	}
	return black
}

// CSS returns the stylesheet of the brand: the variables of its palette for
// light and dark, and the focus point of the title image. It is loaded after
// the design system and must keep the specificity of :root.
func (b *Brand) CSS() string {
	p := b.Color.Palette()
	x, y := b.TitleFocus.percent()
	var s strings.Builder
	fmt.Fprintf(&s, ":root{--pv-bar:%s;--pv-on-bar:%s;--pv-focus-x:%d%%;--pv-focus-y:%d%%;%s}\n", p.Bar, p.OnBar, x, y, p.Light.css())
	fmt.Fprintf(&s, "@media (prefers-color-scheme:dark){:root{%s}}\n", p.Dark.css())
	// Paper needs the light tones, whatever the screen shows.
	fmt.Fprintf(&s, "@media print{:root{%s}}\n", p.Light.css())
	return s.String()
}

func (t Tones) css() string {
	return fmt.Sprintf("--pv-brand:%[1]s;--pv-on-brand:%[2]s;--pv-brand-soft:%[3]s;"+
		"--kern-color-action-default:%[1]s;--kern-color-action-on-default:%[2]s", t.Brand, t.OnBrand, t.Soft)
}
