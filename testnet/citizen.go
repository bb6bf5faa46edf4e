package testnet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// ErrPage is wrapped when a page is not what a citizen's next step needs.
var ErrPage = errors.New("testnet: unexpected page")

const (
	maxHops = 20
	maxPage = 4 << 20
)

// Citizen is a person with a browser: cookies are kept, redirects followed,
// links clicked and forms filled in. Not safe for concurrent use.
type Citizen struct {
	client *http.Client
	url    *url.URL
	status int
	body   string
	doc    *html.Node
	hops   []string
}

// NewCitizen opens a fresh browser on transport, which must reach the
// network's names.
func NewCitizen(transport http.RoundTripper) *Citizen {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // cookiejar.New fails only with a bad option
	}
	c := &Citizen{}
	c.client = &http.Client{Transport: transport, Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		c.hops = append(c.hops, r.URL.String())
		if len(via) >= maxHops {
			return fmt.Errorf("%w: more than %d redirects, the last to %s", ErrPage, maxHops, r.URL)
		}
		return nil
	}}
	return c
}

// Open goes to an address and follows redirects.
func (c *Citizen) Open(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.absolute(address), nil)
	if err != nil {
		return err
	}
	return c.do(req)
}

// Click follows the first link whose text contains label.
func (c *Citizen) Click(ctx context.Context, label string) error {
	var href string
	walk(c.doc, func(n *html.Node) bool {
		if n.Data == "a" && strings.Contains(strings.Join(strings.Fields(textOf(n)), " "), label) {
			href = attr(n, "href")
		}
		return href == ""
	})
	if href == "" {
		return fmt.Errorf("%w: %s has no link %q", ErrPage, c.url, label)
	}
	return c.Open(ctx, href)
}

// ClickHref follows the first link whose address contains part.
func (c *Citizen) ClickHref(ctx context.Context, part string) error {
	var href string
	walk(c.doc, func(n *html.Node) bool {
		if n.Data == "a" && strings.Contains(attr(n, "href"), part) {
			href = attr(n, "href")
		}
		return href == ""
	})
	if href == "" {
		return fmt.Errorf("%w: %s has no link to %s", ErrPage, c.url, part)
	}
	return c.Open(ctx, href)
}

// HasField reports whether the page has a form field called name.
func (c *Citizen) HasField(name string) bool {
	return !walk(c.doc, func(n *html.Node) bool { return attr(n, "name") != name })
}

// SubmitOnly sends the page's one form that posts, as it is.
func (c *Citizen) SubmitOnly(ctx context.Context) error {
	var form *html.Node
	walk(c.doc, func(n *html.Node) bool {
		if n.Data == "form" && strings.EqualFold(attr(n, "method"), "post") {
			form = n
		}
		return form == nil
	})
	if form == nil {
		return fmt.Errorf("%w: %s has no form to send", ErrPage, c.url)
	}
	return c.send(ctx, form, nil)
}

// Submit fills the form that has a field or button for every given name and
// sends it. Fields not given keep the page's values.
func (c *Citizen) Submit(ctx context.Context, fields map[string]string) error {
	var form *html.Node
	walk(c.doc, func(n *html.Node) bool {
		if n.Data == "form" && hasFields(n, fields) {
			form = n
		}
		return form == nil
	})
	if form == nil {
		return fmt.Errorf("%w: %s (status %d) has no form with %v; it says: %.400s", ErrPage, c.url, c.status, keys(fields), c.Text())
	}
	return c.send(ctx, form, fields)
}

func (c *Citizen) send(ctx context.Context, form *html.Node, fields map[string]string) error {
	values := url.Values{}
	walk(form, func(n *html.Node) bool {
		if n.Data == "input" && attr(n, "name") != "" && attr(n, "type") != "submit" && attr(n, "type") != "checkbox" && attr(n, "type") != "radio" {
			values.Set(attr(n, "name"), attr(n, "value"))
		}
		return true
	})
	for k, v := range fields {
		values.Set(k, v)
	}
	target := c.absolute(attr(form, "action"))
	var req *http.Request
	var err error
	if strings.EqualFold(attr(form, "method"), "post") {
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(values.Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", c.url.Scheme+"://"+c.url.Host)
		}
	} else {
		u, perr := url.Parse(target)
		if perr != nil {
			return perr
		}
		u.RawQuery = values.Encode()
		req, err = http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	}
	if err != nil {
		return err
	}
	return c.do(req)
}

func (c *Citizen) do(req *http.Request) error {
	c.hops = nil
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Accept-Language", "de")
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return err
	}
	c.url, c.status, c.body = resp.Request.URL, resp.StatusCode, string(b)
	c.doc, err = html.Parse(strings.NewReader(c.body))
	return err
}

// URL is where the browser stands.
func (c *Citizen) URL() *url.URL { return c.url }

// Status is the last page's HTTP status.
func (c *Citizen) Status() int { return c.status }

// Hops are the redirects of the last step.
func (c *Citizen) Hops() []string { return c.hops }

// Sees reports whether the page's text contains s.
func (c *Citizen) Sees(s string) bool { return strings.Contains(c.Text(), s) }

// Expect returns an error naming the first text that the page lacks.
func (c *Citizen) Expect(texts ...string) error {
	for _, s := range texts {
		if !c.Sees(s) {
			return fmt.Errorf("%w: %s (status %d) does not say %q; it says: %.600s", ErrPage, c.url, c.status, s, c.Text())
		}
	}
	return nil
}

// Text is the page's visible text with single blanks.
func (c *Citizen) Text() string {
	if c.doc == nil {
		return ""
	}
	return strings.Join(strings.Fields(textOf(c.doc)), " ")
}

func (c *Citizen) absolute(ref string) string {
	u, err := url.Parse(ref)
	if err != nil || c.url == nil {
		return ref
	}
	return c.url.ResolveReference(u).String()
}

func hasFields(form *html.Node, fields map[string]string) bool {
	found := map[string]bool{}
	walk(form, func(n *html.Node) bool {
		found[attr(n, "name")] = true
		return true
	})
	for k := range fields {
		if !found[k] {
			return false
		}
	}
	return true
}

func keys(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// walk visits elements depth first until visit returns false.
func walk(n *html.Node, visit func(*html.Node) bool) bool {
	if n == nil {
		return true
	}
	if n.Type == html.ElementNode && !visit(n) {
		return false
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if !walk(c, visit) {
			return false
		}
	}
	return true
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "template") {
		return ""
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
		b.WriteByte(' ')
	}
	return b.String()
}
