package frame

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
)

// ErrTemplate is wrapped when templates cannot be used.
var ErrTemplate = errors.New("frame: template not usable")

// Where a Set looks in a file system. The frame calls "main", each page
// defines it.
const (
	frameFile = "templates/frame.html"
	partFiles = "templates/parts/*.html"
	pageFiles = "templates/*.html"

	callMain   = `{{template "main" .}}`
	defineMain = `{{define "main"}}`
)

// Set is the pages of one portal in one language. It is filled first and then
// safe for concurrent use.
type Set struct {
	t      *template.Template
	change func(string) string
	frame  string
	pages  map[string]bool
}

// New makes an empty Set. change, if not nil, may replace something in the
// source of each template before it is parsed.
func New(funcs template.FuncMap, change func(source string) string) *Set {
	if change == nil {
		change = func(s string) string { return s }
	}
	return &Set{t: template.New("").Funcs(funcs), change: change, pages: map[string]bool{}}
}

// Add parses templates/parts/*.html and the pages templates/*.html of from. The
// first file system added has the frame, templates/frame.html. A page is called
// like its file, without the ending; a later one takes the place of an earlier.
func (s *Set) Add(from fs.FS) error {
	if s.frame == "" {
		b, err := fs.ReadFile(from, frameFile)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTemplate, err)
		}
		if s.frame = string(b); strings.Count(s.frame, callMain) != 1 {
			return fmt.Errorf("%w: %s: %s is needed once", ErrTemplate, frameFile, callMain)
		}
	}
	err := each(from, partFiles, func(name, source string) error { return s.parse(name, source) })
	if err != nil {
		return err
	}
	return each(from, pageFiles, func(name, source string) error {
		if name == frameFile {
			return nil
		}
		return s.add(strings.TrimSuffix(path.Base(name), ".html"), source)
	})
}

// add parses one page: its "main" and the frame around it under names of their
// own.
func (s *Set) add(name, source string) error {
	if strings.Count(source, defineMain) != 1 {
		return fmt.Errorf("%w: page %s: %s is needed once", ErrTemplate, name, defineMain)
	}
	if err := s.parse(name, strings.Replace(source, defineMain, fmt.Sprintf("{{define %q}}", mainOf(name)), 1)); err != nil {
		return err
	}
	s.pages[name] = true
	return s.parse(pageOf(name), strings.Replace(s.frame, callMain, fmt.Sprintf("{{template %q .}}", mainOf(name)), 1))
}

func pageOf(name string) string { return "page " + name }
func mainOf(name string) string { return "main " + name }

func (s *Set) parse(name, source string) error {
	if _, err := s.t.New(name).Parse(s.change(source)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTemplate, name, err)
	}
	return nil
}

func each(from fs.FS, pattern string, f func(name, source string) error) error {
	names, err := fs.Glob(from, pattern)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTemplate, err)
		}
		if err := f(name, string(b)); err != nil {
			return err
		}
	}
	return nil
}

// Page draws a page with its frame.
func (s *Set) Page(w io.Writer, name string, data any) error { return s.draw(w, pageOf, name, data) }

// Main draws a page without its frame.
func (s *Set) Main(w io.Writer, name string, data any) error { return s.draw(w, mainOf, name, data) }

func (s *Set) draw(w io.Writer, which func(string) string, name string, data any) error {
	if !s.pages[name] {
		return fmt.Errorf("%w: there is no page %q", ErrTemplate, name)
	}
	return s.t.ExecuteTemplate(w, which(name), data)
}
