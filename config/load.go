package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ErrConfig is wrapped by every error of Load and Parse.
var ErrConfig = errors.New("config: cannot be used")

// maxFile is the largest configuration read, in bytes.
const maxFile = 1 << 20

// Fault is one thing wrong with a file. Line counts from 1; 0 means that the
// fault belongs to no line (a missing key, an environment variable).
type Fault struct {
	File   string
	Line   int
	Key    string
	What   string
	Remedy string
}

// Error says file, line, key, what is wrong and what to do.
func (f *Fault) Error() string {
	where := f.File
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	if f.Key != "" {
		where += ": " + f.Key
	}
	if f.Remedy == "" {
		return fmt.Sprintf("%s: %s", where, f.What)
	}
	return fmt.Sprintf("%s: %s; %s", where, f.What, f.Remedy)
}

// Faults takes the faults out of an error of Load or Parse.
func Faults(err error) []*Fault {
	switch e := err.(type) {
	case *Fault:
		return []*Fault{e}
	case interface{ Unwrap() []error }:
		var out []*Fault
		for _, err := range e.Unwrap() {
			out = append(out, Faults(err)...)
		}
		return out
	}
	if inner := errors.Unwrap(err); inner != nil {
		return Faults(inner)
	}
	return nil
}

// Load reads, parses and validates the file at path with the environment
// applied. All faults are joined in one error that wraps ErrConfig.
func Load(path string, environ []string) (Config, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Config{}, fmt.Errorf("%w: %s does not exist; write one with: rathausnetz init", ErrConfig, path)
	case err != nil:
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, err)
	case info.Size() > maxFile:
		return Config{}, fmt.Errorf("%w: %s has %d bytes, at most %d are read", ErrConfig, path, info.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w; check the permissions of the file", ErrConfig, err)
	}
	return Parse(path, b, environ)
}

// DataFolder returns the data folder that a file names, without asking whether
// the rest of it can be used: for a configuration that is not in its place yet.
func DataFolder(path string, b []byte, environ []string) (string, error) {
	c := Default()
	p := parser{file: path, lines: map[string]int{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil || len(doc.Content) == 0 {
		return "", fmt.Errorf("%w: %s is no configuration", ErrConfig, path)
	}
	p.mapping(doc.Content[0], reflect.ValueOf(&c).Elem(), "")
	p.environment(environ, &c)
	c.anchor(filepath.Dir(path))
	return c.Data, nil
}

// Parse is Load for bytes already read; path names them in faults and anchors
// relative paths.
func Parse(path string, b []byte, environ []string) (Config, error) {
	c := Default()
	p := parser{file: path, lines: map[string]int{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrConfig, &Fault{File: path, What: strings.TrimPrefix(err.Error(), "yaml: "), Remedy: "check indentation and quotes there"})
	}
	if len(doc.Content) > 0 {
		p.mapping(doc.Content[0], reflect.ValueOf(&c).Elem(), "")
	}
	p.environment(environ, &c)
	c.anchor(filepath.Dir(path))
	p.validate(&c)
	if len(p.faults) > 0 {
		return Config{}, fmt.Errorf("%w:\n%w", ErrConfig, p.sorted())
	}
	return c, nil
}

func absolute(dir, p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	abs, err := filepath.Abs(filepath.Join(dir, p))
	if err != nil {
		return filepath.Join(dir, p)
	}
	return abs
}
