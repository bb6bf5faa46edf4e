package frame_test

import (
	"errors"
	"html/template"
	"strings"
	"testing"
	"testing/fstest"

	"rathausnetz/portal/web/frame"
)

func files(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		out["templates/"+pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

func TestSet(t *testing.T) {
	s := frame.New(template.FuncMap{"loud": strings.ToUpper}, func(src string) string { return strings.ReplaceAll(src, "ORT", "Melle") })
	if err := s.Add(files("frame.html", `<title>{{.}}</title>{{template "head"}}<main>{{template "main" .}}</main>`, "parts/parts.html", `{{define "head"}}ORT{{end}}`,
		"eins.html", `{{define "main"}}<a href="{{.}}">{{loud .}}</a>{{template "own"}}{{end}}{{define "own"}}!{{end}}`, "zwei.html", `{{define "main"}}zwei{{end}}`)); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(files("zwei.html", `{{define "main"}}doch drei{{end}}`)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		draw func(name, data string) (string, error)
		name string
		want string
	}{
		{page(s), "eins", `<title>a&lt;b</title>Melle<main><a href="a%3cb">A&lt;B</a>!</main>`},
		{page(s), "zwei", `<title>a&lt;b</title>Melle<main>doch drei</main>`},
		{middle(s), "eins", `<a href="a%3cb">A&lt;B</a>!`},
		{middle(s), "zwei", `doch drei`},
	} {
		if got, err := tt.draw(tt.name, "a<b"); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := page(s)("vier", ""); !errors.Is(err, frame.ErrTemplate) {
		t.Errorf("an unknown page: %v", err)
	}
}

func page(s *frame.Set) func(name, data string) (string, error) {
	return func(name, data string) (string, error) {
		var b strings.Builder
		err := s.Page(&b, name, data)
		return b.String(), err
	}
}

func middle(s *frame.Set) func(name, data string) (string, error) {
	return func(name, data string) (string, error) {
		var b strings.Builder
		err := s.Main(&b, name, data)
		return b.String(), err
	}
}

func TestSetRefuses(t *testing.T) {
	const good = `{{template "main" .}}`
	for name, from := range map[string]fstest.MapFS{
		"no frame":            files("eins.html", `{{define "main"}}{{end}}`),
		"frame without main":  files("frame.html", `<main></main>`),
		"page without main":   files("frame.html", good, "eins.html", `eins`),
		"page with two mains": files("frame.html", good, "eins.html", `{{define "main"}}{{end}}{{define "main"}}{{end}}`),
		"syntax of a page":    files("frame.html", good, "eins.html", `{{define "main"}}{{if}}{{end}}`),
		"syntax of a part":    files("frame.html", good, "parts/p.html", `{{nosuch}}`),
	} {
		if err := frame.New(nil, nil).Add(from); !errors.Is(err, frame.ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
