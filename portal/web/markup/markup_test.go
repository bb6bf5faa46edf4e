package markup

import (
	"strings"
	"testing"

	tokens "golang.org/x/net/html"
)

func TestHTML(t *testing.T) {
	const p, li = `<p class="kern-body">`, `<ul class="kern-list kern-list--bullet"><li>`
	for _, c := range []struct{ name, in, want string }{
		{"plain text", "25 Euro & mehr", p + "25 Euro &amp; mehr</p>"},
		{"paragraphs", "<p>A</p><p>B", p + "A</p>" + p + "B</p>"},
		{"heading", "<h1>Titel</h1>Text", p + "<strong>Titel</strong></p>" + p + "Text</p>"},
		{"list", "<ul><li>A<li>B</ul>", li + "A</li><li>B</li></ul>"},
		{"item without list", "<li>A</li>", li + "A</li></ul>"},
		{"list in paragraph", "<p>A<ul><li>B</li></ul>", p + "A</p>" + li + "B</li></ul>"},
		{"text in list", "<ul>A</ul>", li + "A</li></ul>"},
		{"link", `<a href="https://a.example/?x=1&amp;y">A</a>`, p + `<a class="kern-link" rel="noopener" href="https://a.example/?x=1&amp;y">A</a></p>`},
		{"telephone", `<a href="tel:+4954">A</a>`, p + `<a class="kern-link" rel="noopener" href="tel:+4954">A</a></p>`},
		{"break", "A<br/>B", p + "A<br>B</p>"},
		{"entities once", "&amp;lt;", p + "&amp;lt;</p>"},
		{"comment", "A<!-- <script> -->B", p + "AB</p>"},
	} {
		if got := strings.ReplaceAll(string(HTML(c.in)), "  ", " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestHTMLHostile(t *testing.T) {
	for _, in := range []string{
		`<script>alert(1)</script>`, `<style>p{}</style>`, `<img src=x onerror=alert(1)>`, `<p onclick="alert(1)">A`,
		`<a href="javascript:alert(1)">A</a>`, `<a href=" JaVaScript:alert(1)">A</a>`, `<a href="data:text/html,alert">A</a>`,
		`<a href="http://plain.example/alert">A</a>`, `<a href="//alert.example">A</a>`, `<a href="https://u:p@alert.example">A</a>`,
		`<svg onload=alert(1)>`, `<p style="color:red;alert">A`, `</main></body><iframe src=alert>`, `<form action=alert>`,
	} {
		got := string(HTML(in))
		if strings.Contains(got, "alert") && !strings.HasPrefix(in, "<script") || strings.Contains(got, "<script") {
			t.Errorf("%s came out as %s", in, got)
		}
	}
	if got := string(HTML("&lt;script&gt;x")); strings.Contains(got, "<script") {
		t.Errorf("an escaped tag was revived: %s", got)
	}
}

func TestPlain(t *testing.T) {
	if got := Plain("<p>A&amp;B</p><ul><li>C</li><li>D</li></ul><script>x</script>"); got != "A&B C D" {
		t.Errorf("got %q", got)
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range []string{"<ul><p><li>a</p><b><ul>", "<a href=https://x.example><p><a href=tel:1>", "</p></ul><h1><li>", "<b><p><i></b></i>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var stack []string
		z := tokens.NewTokenizer(strings.NewReader(string(HTML(in))))
		for {
			tt := z.Next()
			if tt == tokens.ErrorToken {
				break
			}
			tok := z.Token()
			switch tt {
			case tokens.StartTagToken:
				if tok.Data == "br" {
					continue
				}
				if !strings.Contains(" p strong em sup sub ul ol li a ", " "+tok.Data+" ") {
					t.Fatalf("%q let <%s> through", in, tok.Data)
				}
				if tok.Data == "p" && len(stack) > 0 && stack[len(stack)-1] != "li" {
					t.Fatalf("%q: paragraph inside %v", in, stack)
				}
				stack = append(stack, tok.Data)
			case tokens.EndTagToken:
				if len(stack) == 0 || stack[len(stack)-1] != tok.Data {
					t.Fatalf("%q: </%s> closes %v", in, tok.Data, stack)
				}
				stack = stack[:len(stack)-1]
			}
		}
		if len(stack) > 0 {
			t.Fatalf("%q left %v open", in, stack)
		}
	})
}
