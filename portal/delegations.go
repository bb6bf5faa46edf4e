package portal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// ErrDelegations is wrapped by every fault of a delegations file.
var ErrDelegations = errors.New("portal: delegations cannot be used")

// delegationAgency marks the ids of delegations that come from the file.
const delegationAgency = "delegation"

// maxDelegations bounds the file.
const maxDelegations = 10000

// delegationEntry is one entry of the file: a task that another member has in these
// areas. From is the first day, ToDate the last one.
type delegationEntry struct {
	Leika  leika.ID            `yaml:"leika"`
	Areas  []region.Area       `yaml:"areas"`
	To     federation.EntityID `yaml:"to"`
	From   day                 `yaml:"from"`
	ToDate day                 `yaml:"to_date"`
}

type day struct{ time.Time }

func (d *day) UnmarshalYAML(n *yaml.Node) error {
	t, err := time.Parse(time.DateOnly, n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is not a day; write for example 2027-01-31", n.Line, n.Value)
	}
	d.Time = t
	return nil
}

// readDelegations reads what this node has given to others. XZuFi has no
// element for it, so it stands in a file of its own beside the catalogue.
func readDelegations(path string, loopback bool) ([]catalog.Delegation, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDelegations, err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	var list []delegationEntry
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrDelegations, path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(list) > maxDelegations {
		return nil, fmt.Errorf("%w: %s has %d entries, at most %d are read", ErrDelegations, path, len(list), maxDelegations)
	}
	out := make([]catalog.Delegation, 0, len(list))
	for i, d := range list {
		to, err := federation.ParseEntityID(string(d.To), loopback)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: entry %d: to: %w", ErrDelegations, path, i+1, err)
		}
		c := catalog.Delegation{ID: catalog.NewID(delegationAgency, d.Leika.String()+"."+to.Host()), Leika: d.Leika, Areas: d.Areas, To: to}
		c.Valid.From = d.From.Time
		if !d.ToDate.IsZero() {
			c.Valid.To = d.ToDate.AddDate(0, 0, 1)
		}
		out = append(out, c)
	}
	return out, nil
}
