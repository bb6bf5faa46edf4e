package brand

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // decoders for DecodeConfig
	_ "image/png"
)

// ErrImage is wrapped by every refusal of Sanitise.
var ErrImage = errors.New("brand: not a usable picture")

// Limits of an uploaded picture.
const (
	MaxImageBytes  = 1 << 20
	MaxImagePixels = 4096 // per side
)

// The media types Sanitise knows.
const (
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeSVG  = "image/svg+xml"
)

// Sanitise returns a copy of img with its true media type and without
// metadata (time, place, camera, comments). An SVG is rebuilt from allowed
// elements, see sanitiseSVG. Applying it twice changes nothing more.
func Sanitise(img Image) (Image, error) {
	d := img.Data
	if len(d) > MaxImageBytes {
		return Image{}, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrImage, len(d), MaxImageBytes)
	}
	var err error
	switch {
	case bytes.HasPrefix(d, []byte("\x89PNG\r\n\x1a\n")):
		img.Type = typePNG
		img.Data, err = stripPNG(d)
	case bytes.HasPrefix(d, []byte{0xff, 0xd8, 0xff}):
		img.Type = typeJPEG
		img.Data, err = stripJPEG(d)
	case looksLikeSVG(d):
		img.Type = typeSVG
		img.Data, err = sanitiseSVG(d)
	default:
		return Image{}, fmt.Errorf("%w: neither SVG nor PNG nor JPEG", ErrImage)
	}
	if err != nil {
		return Image{}, err
	}
	if img.Type != typeSVG {
		if err := checkSize(img.Data); err != nil {
			return Image{}, err
		}
	}
	return img, nil
}

func checkSize(d []byte) error {
	c, _, err := image.DecodeConfig(bytes.NewReader(d))
	if err != nil {
		return fmt.Errorf("%w: %v", ErrImage, err)
	}
	if c.Width > MaxImagePixels || c.Height > MaxImagePixels {
		return fmt.Errorf("%w: %d × %d pixels, at most %d on a side", ErrImage, c.Width, c.Height, MaxImagePixels)
	}
	return nil
}

func looksLikeSVG(d []byte) bool {
	head := d[:min(len(d), 1024)]
	return bytes.Contains(head, []byte("<svg"))
}

// stripPNG keeps the chunks that are needed to draw the picture [PNG §4.7].
func stripPNG(d []byte) ([]byte, error) {
	keep := map[string]bool{"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "sRGB": true, "gAMA": true, "cHRM": true, "iCCP": true, "pHYs": true}
	out := append([]byte(nil), d[:8]...)
	for rest := d[8:]; len(rest) > 0; {
		if len(rest) < 12 {
			return nil, fmt.Errorf("%w: PNG ends in a chunk", ErrImage)
		}
		n := uint64(binary.BigEndian.Uint32(rest))
		if n > uint64(len(rest)-12) {
			return nil, fmt.Errorf("%w: PNG ends in a chunk", ErrImage)
		}
		name, whole := string(rest[4:8]), rest[:n+12]
		if keep[name] {
			out = append(out, whole...)
		}
		if name == "IEND" {
			return out, nil
		}
		rest = rest[n+12:]
	}
	return nil, fmt.Errorf("%w: PNG without end", ErrImage)
}

// stripJPEG drops application segments and comments before the image data,
// but for JFIF (APP0), colour profile (APP2) and Adobe's transform (APP14),
// without which colours would change.
func stripJPEG(d []byte) ([]byte, error) {
	out := append([]byte(nil), d[:2]...)
	for rest := d[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker := rest[1]
		n := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if n > len(rest) {
			break
		}
		if marker == 0xda { // start of scan: the rest is image data
			return append(out, rest...), nil
		}
		dropped := marker == 0xfe || marker >= 0xe1 && marker <= 0xef && marker != 0xe2 && marker != 0xee
		if !dropped {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	return nil, fmt.Errorf("%w: JPEG without image data", ErrImage)
}
