package brand

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func TestContrastExamples(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#ffffff", "#000000", 21}, {"#f2b705", "#ffffff", 1.8}, {"#767676", "#ffffff", 4.54}} {
		if got := Contrast(MustColor(c.a), MustColor(c.b)); got < c.want-0.05 || got > c.want+0.05 {
			t.Errorf("Contrast(%s, %s) = %.2f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

func TestReadableProposesNearestDarkerTone(t *testing.T) {
	if ok, p := MustColor("#8f1d2c").Readable(); !ok || p != MustColor("#8f1d2c") {
		t.Errorf("a readable colour was changed to %v", p)
	}
	ok, p := MustColor("#f2b705").Readable()
	if ok {
		t.Error("#f2b705 was accepted as link colour")
	}
	if r := Contrast(p, white); r < 4.5 || r > 4.9 {
		t.Errorf("proposal %v has %.2f:1; wanted just above 4.5", p, r)
	}
	if from, to := MustColor("#f2b705").oklch().H, p.oklch().H; from-to > 0.15 || to-from > 0.15 {
		t.Errorf("hue moved from %.2f to %.2f", from, to)
	}
}

// Every tone of every hue and lightness must be readable where it is used.
func TestPaletteAlwaysReadable(t *testing.T) {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				c := Color{uint8(r), uint8(g), uint8(b)}
				p := c.Palette()
				for what, pair := range map[string][3]any{
					"text on bar":         {p.OnBar, p.Bar, 4.5},
					"brand on white":      {p.Light.Brand, white, 4.5},
					"brand on soft":       {p.Light.Brand, p.Light.Soft, 4.5},
					"text on brand":       {p.Light.OnBrand, p.Light.Brand, 4.5},
					"ink on soft":         {ink, p.Light.Soft, 7.0},
					"dark brand on black": {p.Dark.Brand, black, 7.0},
					"dark brand on soft":  {p.Dark.Brand, p.Dark.Soft, 7.0},
					"text on dark brand":  {p.Dark.OnBrand, p.Dark.Brand, 4.5},
				} {
					if got := Contrast(pair[0].(Color), pair[1].(Color)); got < pair[2].(float64) {
						t.Fatalf("%v: %s %.2f:1, need %v", c, what, got, pair[2])
					}
				}
			}
		}
	}
}

func TestParseColorRefuses(t *testing.T) {
	for _, s := range []string{"", "red", "#fff", "#12345g", "#+12345", "8f1d2c", "#8f1d2c;}", "#1234567"} {
		if _, err := ParseColor(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func TestOKLCHRoundTrip(t *testing.T) {
	for _, s := range []string{"#000000", "#ffffff", "#8f1d2c", "#175c3a", "#12406e", "#f2b705", "#808080"} {
		if got := MustColor(s).oklch().color().String(); got != s {
			t.Errorf("%s came back as %s", s, got)
		}
	}
}

func TestSanitiseSVGHostile(t *testing.T) {
	const shell = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4">%s<path d="M0 0h4v4z" fill="#8f1d2c"/></svg>`
	for name, evil := range map[string]string{
		"script":         `<script>alert(1)</script>`,
		"handler":        `<rect width="4" height="4" onload="alert(1)"/>`,
		"style":          `<style>@import url(https://evil.example/x.css)</style>`,
		"foreign object": `<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="alert(1)"/></body></foreignObject>`,
		"remote use":     `<use href="https://evil.example/x.svg#a"/>`,
		"remote image":   `<image href="https://evil.example/x.png"/>`,
		"remote fill":    `<rect fill="url( 'https://evil.example/#a')"/>`,
		"javascript":     `<a href="javascript:alert(1)"><rect/></a>`,
		"xlink":          `<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:image/svg+xml,evil"/>`,
		"animation":      `<set attributeName="href" to="javascript:alert(1)"/>`,
		"foreign space":  `<h:script xmlns:h="http://www.w3.org/1999/xhtml">alert(1)</h:script>`,
		"nested svg":     `<svg onload="alert(1)"></svg>`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Sanitise(Image{Data: []byte(strings.Replace(shell, "%s", evil, 1))})
			if err != nil {
				t.Fatal(err)
			}
			out := string(got.Data)
			for _, bad := range []string{"alert", "evil", "javascript", "script", "on"} {
				if bad == "on" && !strings.Contains(out, " on") {
					continue
				}
				if strings.Contains(out, bad) {
					t.Errorf("%q is still in %s", bad, out)
				}
			}
			if !strings.Contains(out, `fill="#8f1d2c"`) {
				t.Errorf("the drawing is gone: %s", out)
			}
			again, err := Sanitise(got)
			if err != nil || !bytes.Equal(again.Data, got.Data) {
				t.Errorf("a second pass changed it (%v): %s", err, again.Data)
			}
		})
	}
}

func TestSanitiseRefuses(t *testing.T) {
	for name, d := range map[string]string{
		"empty":      "",
		"html":       "<!doctype html><p>",
		"gif":        "GIF89a",
		"entities":   `<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>`,
		"broken xml": `<svg xmlns="http://www.w3.org/2000/svg"><path`,
		"deep":       `<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat("<g>", 100) + strings.Repeat("</g>", 100) + `</svg>`,
		"half png":   "\x89PNG\r\n\x1a\n\x00\x00",
		"half jpeg":  "\xff\xd8\xff\xe0\x00\x10",
		"too large":  strings.Repeat("x", MaxImageBytes+1),
	} {
		if _, err := Sanitise(Image{Data: []byte(d)}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestSanitiseStripsMetadata(t *testing.T) {
	pic := image.NewRGBA(image.Rect(0, 0, 3, 2))
	var p, j bytes.Buffer
	if err := png.Encode(&p, pic); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&j, pic, nil); err != nil {
		t.Fatal(err)
	}
	const secret = "52.27N 8.04E"
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(secret)))
	chunk = append(chunk, "tEXt"+secret...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	withText := append(append(append([]byte(nil), p.Bytes()[:33]...), chunk...), p.Bytes()[33:]...)
	exif := append([]byte{0xff, 0xe1, 0, byte(len(secret) + 2)}, secret...)
	withExif := append(append(append([]byte(nil), j.Bytes()[:2]...), exif...), j.Bytes()[2:]...)
	for name, d := range map[string][]byte{"png": withText, "jpeg": withExif} {
		got, err := Sanitise(Image{Data: d})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if bytes.Contains(got.Data, []byte(secret)) {
			t.Errorf("%s: the place is still in it", name)
		}
		if c, _, err := image.DecodeConfig(bytes.NewReader(got.Data)); err != nil || c.Width != 3 {
			t.Errorf("%s: not readable any more: %v", name, err)
		}
	}
}

func TestCheckReportsAllFaults(t *testing.T) {
	b := Brand{Greeting: strings.Repeat("a", 201), Wappen: Image{Data: []byte("nothing")}}
	err := b.Check()
	for _, want := range []string{"name is empty", "greeting has 201 bytes", "Wappen"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in: %v", want, err)
		}
	}
}

func FuzzSanitise(f *testing.F) {
	f.Add([]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>x</script><use href=" #a"/></svg>`))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 4, 1, 2, 0xff, 0xda, 0, 2})
	f.Fuzz(func(t *testing.T, d []byte) {
		img, err := Sanitise(Image{Data: d})
		if err != nil || img.Type != typeSVG {
			return
		}
		if bytes.Contains(bytes.ToLower(img.Data), []byte("<script")) {
			t.Errorf("script left in %q", img.Data)
		}
		again, err := Sanitise(img)
		if err != nil || !bytes.Equal(again.Data, img.Data) {
			t.Errorf("not stable: %q then %q, %v", img.Data, again.Data, err)
		}
	})
}
