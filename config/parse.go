package config

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rathausnetz/federation"
)

// parser walks the YAML tree beside the Config value. It does what
// yaml.Decoder with KnownFields does, but keeps the line of every key and
// goes on after a fault.
type parser struct {
	file   string
	lines  map[string]int // dotted key → line
	faults []error
}

func (p *parser) fault(key, what, remedy string) {
	p.faults = append(p.faults, &Fault{File: p.file, Line: p.line(key), Key: key, What: what, Remedy: remedy})
}

// sorted joins the faults in the order of the file; those without a line come
// last.
func (p *parser) sorted() error {
	at := func(err error) int {
		if f, ok := err.(*Fault); ok && f.Line > 0 {
			return f.Line
		}
		return math.MaxInt
	}
	slices.SortStableFunc(p.faults, func(a, b error) int { return cmp.Compare(at(a), at(b)) })
	return errors.Join(p.faults...)
}

// faulted reports whether something is wrong with key already.
func (p *parser) faulted(key string) bool {
	return slices.ContainsFunc(p.faults, func(err error) bool {
		f, ok := err.(*Fault)
		return ok && f.Key == key
	})
}

// line is where key stands, or the block it is missing in.
func (p *parser) line(key string) int {
	for {
		if n, ok := p.lines[key]; ok {
			return n
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			return 0
		}
		key = key[:i]
	}
}

func (p *parser) mapping(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		p.lines[path] = n.Line
		p.fault(path, "a block of keys is needed here", "write the keys below it, indented")
		return
	}
	fields := fieldsOf(v)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		key := join(path, name)
		p.lines[key] = n.Content[i].Line
		field, known := fields[name]
		switch {
		case !known:
			p.fault(key, "this key is unknown", suggest(name, fields))
		case seen[name]:
			p.fault(key, "this key stands here twice", "remove one of the two")
		default:
			p.value(n.Content[i+1], field, key)
		}
		seen[name] = true
	}
}

func (p *parser) value(n *yaml.Node, v reflect.Value, key string) {
	switch {
	case isScalar(v):
		p.scalar(n, v, key)
	case v.Kind() == reflect.Struct:
		p.mapping(n, v, key)
	case v.Kind() == reflect.Slice:
		p.sequence(n, v, key)
	case v.Kind() == reflect.Map:
		p.dictionary(n, v, key)
	}
}

// dictionary reads a block whose keys are the operator's own words.
func (p *parser) dictionary(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.MappingNode {
		p.fault(key, "a block of keys is needed here", "write the keys below it, indented")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		k := join(key, name)
		p.lines[k] = n.Content[i].Line
		if v.MapIndex(reflect.ValueOf(name)).IsValid() {
			p.fault(k, "this key stands here twice", "remove one of the two")
			continue
		}
		e := reflect.New(v.Type().Elem()).Elem()
		p.value(n.Content[i+1], e, k)
		v.SetMapIndex(reflect.ValueOf(name), e)
	}
}

func (p *parser) sequence(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.SequenceNode {
		p.fault(key, "a list is needed here", "write each entry on its own line after a dash")
		return
	}
	for i, item := range n.Content {
		e := reflect.New(v.Type().Elem()).Elem()
		k := fmt.Sprintf("%s[%d]", key, i)
		p.lines[k] = item.Line
		p.value(item, e, k)
		v.Set(reflect.Append(v, e))
	}
}

func (p *parser) scalar(n *yaml.Node, v reflect.Value, key string) {
	if n.Kind != yaml.ScalarNode {
		p.fault(key, "a single value is needed here", "write it behind the colon")
		return
	}
	if err := setScalar(v, n.Value); err != nil {
		p.fault(key, err.Error(), "")
	}
}

// environment applies RATHAUSNETZ_… variables; an unknown one is a fault too,
// because a misspelt override that is ignored is the worst kind.
func (p *parser) environment(environ []string, c *Config) {
	scalars := map[string]reflect.Value{}
	collect(reflect.ValueOf(c).Elem(), "", scalars)
	for _, kv := range environ {
		name, val, _ := strings.Cut(kv, "=")
		rest, ours := strings.CutPrefix(name, "RATHAUSNETZ_")
		if !ours || rest == "REQUIRE" {
			continue
		}
		key := strings.ToLower(rest)
		v, known := scalars[key]
		if !known {
			p.faults = append(p.faults, &Fault{File: "environment", Key: name, What: "this variable is unknown", Remedy: suggest(key, scalars)})
			continue
		}
		if err := setScalar(v, val); err != nil {
			p.faults = append(p.faults, &Fault{File: "environment", Key: name, What: err.Error()})
		}
	}
}

func collect(v reflect.Value, prefix string, into map[string]reflect.Value) {
	for name, f := range fieldsOf(v) {
		key := strings.ReplaceAll(join(prefix, name), ".", "_")
		switch {
		case isScalar(f):
			into[key] = f
		case f.Kind() == reflect.Struct:
			collect(f, key, into)
		}
	}
}

func fieldsOf(v reflect.Value) map[string]reflect.Value {
	m := map[string]reflect.Value{}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			m[name] = v.Field(i)
		}
	}
	return m
}

func isScalar(v reflect.Value) bool {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return true
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64:
		return true
	}
	return false
}

func setScalar(v reflect.Value, s string) error {
	switch t := v.Addr().Interface().(type) {
	case *time.Duration:
		d, err := time.ParseDuration(s)
		if err != nil {
			return fmt.Errorf("%q is not a span of time; write for example 30m or 6h", s)
		}
		*t = d
	case *netip.Prefix:
		return setPrefix(t, s)
	case *federation.EntityID:
		*t = federation.EntityID(strings.TrimSuffix(s, "/")) // validated with loopback_http known
	case encoding.TextUnmarshaler:
		return t.UnmarshalText([]byte(s))
	case *string:
		*t = s
	case *bool:
		if s != "true" && s != "false" {
			return fmt.Errorf("%q is neither true nor false; write one of these", s)
		}
		*t = s == "true"
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		*t = n
	}
	return nil
}

func setPrefix(t *netip.Prefix, s string) error {
	if a, err := netip.ParseAddr(s); err == nil {
		*t = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	pf, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf("%q is no address; write for example 10.0.0.5 or 10.0.0.0/24", s)
	}
	*t = pf
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// suggest names the nearest known key, or all of them if none is near.
func suggest(name string, known map[string]reflect.Value) string {
	names := make([]string, 0, len(known))
	for k := range known {
		names = append(names, k)
	}
	sort.Strings(names)
	best, bestAt := "", 3
	for _, k := range names {
		if d := distance(strings.ToLower(name), k); d < bestAt {
			best, bestAt = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known here: " + strings.Join(names, ", ")
}

// distance is the number of letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
