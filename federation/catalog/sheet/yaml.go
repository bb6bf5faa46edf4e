package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// ErrYAML is wrapped by what is wrong with a YAML catalogue, with its line.
var ErrYAML = errors.New("sheet: not a YAML catalogue")

// maxYAML is the largest YAML catalogue, in bytes: it is written by hand.
const maxYAML = 4 << 20

// The hand-written form. Keys are the words of the table; every key is
// optional but kennung, titel and name.
type yamlCatalogue struct {
	Stelle         string           `yaml:"stelle"` // agency of all ids
	Einheiten      []yamlUnit       `yaml:"einheiten"`
	Leistungen     []yamlOffer      `yaml:"leistungen"`
	Uebertragungen []yamlDelegation `yaml:"uebertragungen"`
}

type yamlUnit struct {
	Kennung string   `yaml:"kennung"`
	Name    yamlText `yaml:"name"`
	Strasse string   `yaml:"strasse"`
	PLZ     string   `yaml:"plz"`
	Ort     string   `yaml:"ort"`
	Telefon string   `yaml:"telefon"`
	Email   string   `yaml:"email"`
	Adresse string   `yaml:"internet"`
	Zeiten  yamlText `yaml:"zeiten"`
	Gebiet  yamlArea `yaml:"gebiet"`
}

type yamlOffer struct {
	Kennung     string              `yaml:"kennung"`
	Leika       yamlKey             `yaml:"leika"`
	Eigene      bool                `yaml:"eigene_leistung"`
	Titel       yamlText            `yaml:"titel"`
	Synonyme    []string            `yaml:"synonyme"`
	Texte       map[string]yamlText `yaml:"texte"` // by SectionKind
	Zielgruppe  []string            `yaml:"zielgruppe"`
	Lebenslagen []string            `yaml:"lebenslagen"`
	Themenfeld  string              `yaml:"themenfeld"`
	SDG         []string            `yaml:"sdg"`
	Reichweite  string              `yaml:"reichweite"`
	Zustaendig  []yamlClaim         `yaml:"zustaendig"`
	Online      []yamlForm          `yaml:"online"`
	GueltigAb   string              `yaml:"gueltig_ab"`
	GueltigBis  string              `yaml:"gueltig_bis"`
}

type yamlClaim struct {
	Einheit string     `yaml:"einheit"`
	Gebiete []yamlArea `yaml:"gebiete"`
	Ausser  []yamlArea `yaml:"ausser"`
	Rolle   string     `yaml:"rolle"` // zustaendig (default), ansprechpunkt, beides
}

type yamlForm struct {
	Kennung   string     `yaml:"kennung"`
	Titel     yamlText   `yaml:"titel"`
	Adresse   string     `yaml:"adresse"`
	Niveau    yamlLevel  `yaml:"niveau"`
	Bezahlung bool       `yaml:"bezahlung"`
	Gebiete   []yamlArea `yaml:"gebiete"`
}

type yamlDelegation struct {
	Kennung string     `yaml:"kennung"`
	Leika   yamlKey    `yaml:"leika"`
	Gebiete []yamlArea `yaml:"gebiete"`
	An      string     `yaml:"an"`
}

// yamlText is a German text, or texts by language.
type yamlText map[string]string

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *yamlText) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*t = yamlText{german: n.Value}
		return nil
	}
	m := map[string]string{}
	if err := n.Decode(&m); err != nil {
		return err
	}
	*t = m
	return nil
}

// Values of one word are parsed where their line is known.
type (
	yamlArea  struct{ region.Area }
	yamlKey   struct{ leika.ID }
	yamlLevel struct{ federation.Level }
)

// UnmarshalYAML implements yaml.Unmarshaler. An area must be quoted: YAML
// takes 03459 for a number.
func (a *yamlArea) UnmarshalYAML(n *yaml.Node) error {
	if n.Tag != "!!str" {
		return fmt.Errorf("line %d: put the area %s into quotes", n.Line, n.Value)
	}
	return at(n, a.Area.UnmarshalText([]byte(n.Value)))
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (k *yamlKey) UnmarshalYAML(n *yaml.Node) error {
	return at(n, k.ID.UnmarshalText([]byte(n.Value)))
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (l *yamlLevel) UnmarshalYAML(n *yaml.Node) error {
	return at(n, l.Level.UnmarshalText([]byte(n.Value)))
}

func at(n *yaml.Node, err error) error {
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	return nil
}

// ReadYAML reads a whole catalogue from its hand-written form. Unknown keys,
// anchors and a second document are refused; the error wraps ErrYAML or
// ErrLimit and names file and line. The catalogue is normalised but not yet
// checked: that is for catalog.Validate and Gates. Ids are made from stelle
// and kennung; with equal input they are equal.
func ReadYAML(r io.Reader, file string, member federation.EntityID) (*catalog.Catalogue, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxYAML+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(raw) > maxYAML {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", file, ErrLimit, maxYAML)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file, ErrYAML, err)
	}
	if line := aliasLine(&root, 0); line > 0 {
		return nil, fmt.Errorf("%s:%d: %w: anchors, aliases and deep nesting are not accepted", file, line, ErrYAML)
	}
	var y yamlCatalogue
	dec := yaml.NewDecoder(strings.NewReader(string(raw)))
	dec.KnownFields(true)
	if err := dec.Decode(&y); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file, ErrYAML, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w: a second document", file, ErrYAML)
	}
	b := &builder{agency: y.Stelle, clean: markup.New()}
	c, err := b.catalogue(y, member)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", file, ErrYAML, err)
	}
	return c, nil
}

// aliasLine returns the line of the first anchor or alias, or of nesting no
// catalogue has, 0 if there is none.
func aliasLine(n *yaml.Node, depth int) int {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || depth > 16 {
		return max(n.Line, 1)
	}
	for _, c := range n.Content {
		if line := aliasLine(c, depth+1); line > 0 {
			return line
		}
	}
	return 0
}
