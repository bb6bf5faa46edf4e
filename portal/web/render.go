package web

import (
	"bytes"
	"embed"
	"html"
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"rathausnetz/portal/web/frame"
	"rathausnetz/portal/web/locale"
	"rathausnetz/portal/web/static"
)

//go:embed templates
var templates embed.FS

// parse prepares each page in each language. Sentences without values are put
// in here, once; the others are looked up when the page is drawn.
func (w *Web) parse() (map[string]*frame.Set, error) {
	out := map[string]*frame.Set{}
	for _, lang := range locale.Languages() {
		out[lang] = frame.New(w.funcs(lang), func(source string) string { return w.fixed(lang, source) })
		if err := out[lang].Add(templates); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var fixedText = regexp.MustCompile(`\{\{t "([a-z0-9.-]+)"\}\}`)

// fixed puts texts and icons that never change into the source of a template.
func (w *Web) fixed(lang, source string) string {
	source = fixedText.ReplaceAllStringFunc(source, func(call string) string {
		return html.EscapeString(w.texts.In(lang, fixedText.FindStringSubmatch(call)[1]))
	})
	for kind, icon := range icons {
		source = strings.ReplaceAll(source, `{{icon "`+kind+`"}}`, string(icon))
	}
	return source
}

func (w *Web) funcs(lang string) template.FuncMap {
	return template.FuncMap{
		"t":        func(key string, args ...any) string { return w.texts.In(lang, key, args...) },
		"pagelang": func() string { return lang },
		"lines":    func(s string) []string { return strings.Split(s, "\n") },
		"add":      func(a, b int) int { return a + b },
		"icon":     func(name string) template.HTML { return icons[name] },
		"field": func(name, label, value, problem string) map[string]string {
			return map[string]string{"Name": name, "Label": w.texts.In(lang, label), "Value": value, "Problem": problem}
		},
		"marks":  marks,
		"badge":  func(kind string) string { return badgeClasses[kind] },
		"alerts": func(kind string) string { return alertClasses[kind] },
	}
}

// icons are the pictures of the marks; they are decoration beside their text.
var icons = map[string]template.HTML{
	"info":    `<span class="kern-icon kern-icon--info" aria-hidden="true"></span>`,
	"success": `<span class="kern-icon kern-icon--success" aria-hidden="true"></span>`,
	"warning": `<span class="kern-icon kern-icon--warning" aria-hidden="true"></span>`,
	"danger":  `<span class="kern-icon kern-icon--danger" aria-hidden="true"></span>`,
}

// The classes are written out so that the stylesheet is cut around them.
var (
	badgeClasses = map[string]string{"info": "kern-badge--info", "success": "kern-badge--success", "warning": "kern-badge--warning", "danger": "kern-badge--danger"}
	alertClasses = map[string]string{"info": "kern-alert--info", "success": "kern-alert--success", "warning": "kern-alert--warning", "danger": "kern-alert--danger"}
)

// contentPolicy is the Content-Security-Policy [UX.md §2]. data: is for the
// icons, which are mask images in the stylesheet.
func contentPolicy(formAction string) string {
	return "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; form-action " + formAction + "; base-uri 'none'; frame-ancestors 'none'"
}

// scriptPolicy is added on pages with the search form: its own script, and what
// that asks this portal. No inline script is ever allowed.
const scriptPolicy = "; script-src 'self'; connect-src 'self'"

// passkeyPolicy is added on pages that use a passkey or wait with the citizen:
// their script asks the browser and nobody else.
const passkeyPolicy = "; script-src 'self'"

// write draws v. The page is complete before the first byte is sent, so an
// error of a template becomes a proper answer.
func (w *Web) write(rw http.ResponseWriter, r *http.Request, status int, v *view) {
	if w.preview != nil {
		v.Script = false
	}
	var buf bytes.Buffer
	set := w.pages[v.Lang]
	if set == nil {
		w.broken(rw, errorf("no pages in language %q", v.Lang))
		return
	}
	if err := set.Page(&buf, v.tmpl, v); err != nil {
		w.broken(rw, err)
		return
	}
	h := rw.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Set("X-Content-Type-Options", "nosniff")
	setDefault(h, "Referrer-Policy", "same-origin")
	policy := w.policy
	if len(v.Targets) > 0 {
		policy = contentPolicy("'self' " + strings.Join(v.Targets, " "))
	}
	switch {
	case v.Script:
		policy += scriptPolicy
	case v.Passkey || v.Stay:
		policy += passkeyPolicy
	}
	if v.Stay {
		policy += "; frame-src 'self'"
	}
	if v.Frame {
		policy = strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors 'self'", 1)
		h.Set("X-Frame-Options", "SAMEORIGIN")
	}
	if v.Bare {
		policy = strings.Replace(policy, "frame-ancestors 'none'", "frame-ancestors 'self' https:", 1)
		h.Del("X-Frame-Options") // the older header knows no list
	}
	h.Set("Content-Security-Policy", policy)
	if w.store(rw, r, status, v, buf.Bytes()) {
		return
	}
	h.Set("Cache-Control", "no-store")
	w.send(rw, r, status, buf.Bytes())
}

func setDefault(h http.Header, key, value string) {
	if h.Get(key) == "" {
		h.Set(key, value)
	}
}

func (w *Web) send(rw http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := rw.Header()
	h.Add("Vary", "Accept-Encoding")
	if static.AcceptsGzip(r) {
		if z, err := w.zip.Gzip(body); err == nil {
			h.Set("Content-Encoding", "gzip")
			body = z
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	rw.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = rw.Write(body) // the reader has gone: nothing to do
	}
}

// broken is the last resort when a page cannot be drawn at all.
func (w *Web) broken(rw http.ResponseWriter, err error) {
	id := reference()
	w.cfg.Log.Error("template failed", "ref", id, "err", err)
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.WriteHeader(http.StatusInternalServerError)
	_, _ = rw.Write([]byte(w.texts.In(locale.German, "500.text", id)))
}
