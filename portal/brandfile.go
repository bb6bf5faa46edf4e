package portal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"rathausnetz/federation/region"
	"rathausnetz/portal/web/brand"
)

// ErrPortalFile is wrapped by every fault of a portal file.
var ErrPortalFile = errors.New("portal: portal file cannot be used")

const maxPicture = 2 << 20

// Portal is a portal file: what people see of a node. Pictures are paths
// relative to the file.
type Portal struct {
	Name      string `yaml:"name"`
	ShortName string `yaml:"short_name"`
	// Home is the ARS of the own Gemeinde, or empty for a Kreis or a utility.
	Home        region.Area `yaml:"home"`
	Network     Network     `yaml:"network"`
	MainColor   brand.Color `yaml:"main_color"`
	Greeting    string      `yaml:"greeting"`
	Intro       string      `yaml:"intro"`
	Contact     Contact     `yaml:"contact"`
	Hours       []string    `yaml:"opening_hours"`
	Lebenslagen []string    `yaml:"lebenslagen"`
	Wappen      Picture     `yaml:"wappen"`
	TitleImage  Picture     `yaml:"title_image"`
	Legal       Legal       `yaml:"legal"`
}

// Network is the Verbund as it is called in sentences.
type Network struct {
	Area region.Area `yaml:"area"`
	Name string      `yaml:"name"`
}

// Contact is how to reach the municipality.
type Contact struct {
	Street string `yaml:"street"`
	PLZ    string `yaml:"plz"`
	Ort    string `yaml:"ort"`
	Phone  string `yaml:"phone"`
	Email  string `yaml:"email"`
}

// Picture is a file and what it shows; no alt text means decoration.
type Picture struct {
	File string `yaml:"file"`
	Alt  string `yaml:"alt"`
	X    int    `yaml:"focus_x"` // percent from the left
	Y    int    `yaml:"focus_y"` // percent from the top
}

// Legal holds texts of the pages the law asks for.
type Legal struct {
	Impressum        string `yaml:"impressum"`
	Datenschutz      string `yaml:"datenschutz"`
	Barrierefreiheit string `yaml:"barrierefreiheit"`
	LeichteSprache   string `yaml:"leichte_sprache"`
	Gebaerdensprache string `yaml:"gebaerdensprache"`
	Aufsicht         string `yaml:"aufsicht"`
}

// ReadPortal reads and checks a portal file and its pictures from files.
func ReadPortal(files fs.FS, name string) (Portal, brand.Brand, error) {
	var p Portal
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return p, brand.Brand{}, fmt.Errorf("%w: %w", ErrPortalFile, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return p, brand.Brand{}, fmt.Errorf("%w: %s: %s", ErrPortalFile, name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	br := brand.Brand{
		Name: p.Name, ShortName: p.ShortName, Color: p.MainColor, Greeting: p.Greeting, Intro: p.Intro, Hours: p.Hours, Lebenslagen: p.Lebenslagen,
		Contact:    brand.Contact{Street: p.Contact.Street, PLZ: p.Contact.PLZ, Ort: p.Contact.Ort, Phone: p.Contact.Phone, Email: p.Contact.Email},
		TitleFocus: brand.Focus{X: p.TitleImage.X, Y: p.TitleImage.Y},
		Legal: brand.Legal{Impressum: p.Legal.Impressum, Datenschutz: p.Legal.Datenschutz, Barrierefreiheit: p.Legal.Barrierefreiheit,
			LeichteSprache: p.Legal.LeichteSprache, Gebaerdensprache: p.Legal.Gebaerdensprache, Aufsicht: p.Legal.Aufsicht},
	}
	dir := filepath.ToSlash(filepath.Dir(name))
	if br.Wappen, err = p.Wappen.read(files, dir); err == nil {
		br.Title, err = p.TitleImage.read(files, dir)
	}
	if err == nil {
		err = br.Check()
	}
	if err != nil {
		return p, br, fmt.Errorf("%w: %s: %w", ErrPortalFile, name, err)
	}
	return p, br, nil
}

func (p Picture) read(files fs.FS, dir string) (brand.Image, error) {
	if p.File == "" {
		return brand.Image{}, nil
	}
	name := p.File
	if dir != "." {
		name = dir + "/" + p.File
	}
	info, err := fs.Stat(files, name)
	if err != nil {
		return brand.Image{}, err
	}
	if info.Size() > maxPicture {
		return brand.Image{}, fmt.Errorf("%s has %d bytes, at most %d are allowed", p.File, info.Size(), maxPicture)
	}
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return brand.Image{}, err
	}
	return brand.Sanitise(brand.Image{Data: b, Alt: p.Alt})
}
