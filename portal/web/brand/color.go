package brand

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrColor is returned for anything that is not "#rrggbb".
var ErrColor = errors.New("brand: a colour is written #rrggbb")

// Color is an sRGB colour, 8 bits a channel. Its text form is "#rrggbb".
type Color struct{ R, G, B uint8 }

// Ink is the text colour of the design; White and Black are what they say.
var (
	ink   = Color{0x13, 0x15, 0x25}
	white = Color{0xff, 0xff, 0xff}
	black = Color{}
	// darkGround is the page colour of the design system in dark mode.
	darkGround = Color{0x11, 0x15, 0x2d}
)

// ParseColor reads "#rrggbb", upper or lower case.
func ParseColor(s string) (Color, error) {
	if len(s) != 7 || s[0] != '#' {
		return Color{}, fmt.Errorf("%w, not %q", ErrColor, clip(s))
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil || strings.ContainsAny(s, "+-_") {
		return Color{}, fmt.Errorf("%w, not %q", ErrColor, clip(s))
	}
	return Color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, nil
}

// MustColor is ParseColor for literals in programs and tests.
func MustColor(s string) Color {
	c, err := ParseColor(s)
	if err != nil {
		panic(err)
	}
	return c
}

func clip(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

// String returns "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// MarshalText implements encoding.TextMarshaler.
func (c Color) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Color) UnmarshalText(b []byte) error {
	v, err := ParseColor(string(b))
	if err != nil {
		return err
	}
	*c = v
	return nil
}

// Contrast returns the contrast ratio of two colours, 1 to 21 [WCAG §1.4.3].
func Contrast(a, b Color) float64 {
	x, y := a.luminance(), b.luminance()
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func (c Color) luminance() float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func linear(v uint8) float64 {
	x := float64(v) / 255
	if x <= 0.04045 {
		return x / 12.92
	}
	return math.Pow((x+0.055)/1.055, 2.4)
}

func gamma(x float64) float64 {
	if x <= 0.0031308 {
		return 12.92 * x
	}
	return 1.055*math.Pow(x, 1/2.4) - 0.055
}

// oklch is a colour by perceived lightness (0–1), chroma and hue (radians)
// [OKLCH].
type oklch struct{ L, C, H float64 }

func (c Color) oklch() oklch {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	A := 1.9779984951*l - 2.4285922050*m + 0.4505937099*s
	B := 0.0259040371*l + 0.7827717662*m - 0.8086757660*s
	return oklch{0.2104542553*l + 0.7936177850*m - 0.0040720468*s, math.Hypot(A, B), math.Atan2(B, A)}
}

// color returns the nearest sRGB colour: chroma is reduced until it fits.
func (o oklch) color() Color {
	for range 40 {
		if c, ok := o.rgb(); ok {
			return c
		}
		o.C *= 0.9
	}
	o.C = 0
	c, _ := o.rgb()
	return c
}

func (o oklch) rgb() (Color, bool) {
	A, B := o.C*math.Cos(o.H), o.C*math.Sin(o.H)
	l := cube(o.L + 0.3963377774*A + 0.2158037573*B)
	m := cube(o.L - 0.1055613458*A - 0.0638541728*B)
	s := cube(o.L - 0.0894841775*A - 1.2914855480*B)
	r, okR := channel(4.0767416621*l - 3.3077115913*m + 0.2309699292*s)
	g, okG := channel(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s)
	b, okB := channel(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s)
	return Color{r, g, b}, okR && okG && okB
}

func cube(x float64) float64 { return x * x * x }

func channel(x float64) (v uint8, inside bool) {
	const slack = 0.001 // rounding of colours at the edge of the gamut
	inside = x > -slack && x < 1+slack
	return uint8(math.Round(255 * gamma(min(max(x, 0), 1)))), inside
}
