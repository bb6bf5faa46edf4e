package markup

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHTML(t *testing.T) {
	c := New()
	for _, tt := range []struct{ name, in, want string }{
		{"clean stays", `<p>Müll &amp; <b>mehr</b><br>x</p>`, `<p>Müll &amp; <b>mehr</b><br>x</p>`},
		{"script", `a<script>alert(1)</script>b`, `ab`},
		{"style", `<style>p{}</style>x`, `x`},
		{"attribute", `<p class="x" onclick='y'>z</p>`, `<p>z</p>`},
		{"upper case", `<P>x</P>`, `<p>x</p>`},
		{"self-closing break", `a<br/>b<br />c`, `a<br>b<br>c`},
		{"unclosed", `<ul><li>a<li>b`, `<ul><li>a</li><li>b</li></ul>`},
		{"stray end", `a</b></section>b`, `ab`},
		{"foreign blocks", `<div>a</div><div class="x">b<div>c</div></div>`, `<p>a</p><p>b</p><p>c</p>`},
		{"table", `<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>`, `a b <br>c <br>`},
		{"tag inside a word", `<u>Un</u>ter<span>lagen</span>`, `Unterlagen`},
		{"crossed", `<b><i>x</b>y</i>`, `<b><i>x</i></b>y`},
		{"paragraphs", `<p>a<p>b`, `<p>a</p><p>b</p>`},
		{"list in a paragraph", `<p>a<ul><li>b</li></ul></p>`, `<p>a</p><ul><li>b</li></ul>`},
		{"link", `<a href="https://x.example/?a=1&b=2" target="_blank">x</a>`, `<a href="https://x.example/?a=1&amp;b=2">x</a>`},
		{"script link", `<a href="javascript:alert(1)">x</a>`, `x`},
		{"link with control", "<a href=\"java\tscript:alert(1)\">x</a>", `x`},
		{"relative link", `<a href="/x">x</a>`, `x`},
		{"mail", `<a href="mailto:a@b.example">x</a>`, `<a href="mailto:a@b.example">x</a>`},
		{"quotes", `sagt "ja" & 'nein'`, `sagt &#34;ja&#34; &amp; &#39;nein&#39;`},
		{"control characters", "a\x00b\x1bc", "abc"},
		{"invalid bytes", "a\xffb", "ab"},
		{"comment", `a<!-- x -->b`, `ab`},
		{"deep", strings.Repeat("<b>", 100) + "x", strings.Repeat("<b>", 16) + "x" + strings.Repeat("</b>", 16)},
		{"empty", "  \n ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := c.HTML(tt.in)
			if strings.Join(strings.Fields(got), " ") != tt.want {
				t.Errorf("HTML = %q, want %q", got, tt.want)
			}
			if !IsClean(got) || c.HTML(got) != got {
				t.Errorf("%q is not in its final form: %q", got, c.HTML(got))
			}
		})
	}
}

// TestQuick checks what the quick way takes on, and that it comes to the same
// as the thorough one.
func TestQuick(t *testing.T) {
	c := New()
	for s, want := range map[string]string{
		`<p class="text" style="a>b">x</p>`:                               `<p>x</p>`,
		"<ul\n type=\"a\"><li id=\"b-c\">x</li></ul>":                     `<ul><li>x</li></ul>`,
		`<h2 class="">x</h2>a<br/>b<br />c<br class="d"/>`:                `<h2>x</h2>a<br>b<br>c<br>`,
		`"ja" &nbsp;&ndash; 'nein' > &amp;amp;`:                           "&#34;ja&#34; \u00a0– &#39;nein&#39; &gt; &amp;amp;",
		`<a target="_blank" href="https://x.example/a-b/c" rel="x">y</a>`: `<a href="https://x.example/a-b/c">y</a>`,

		`<p><span style="color: red">&<u>Un</u>ter<font>lagen</font></span></p></u>`: `<p>&amp;Unterlagen</p>`,

		`<P>x</P>`: "", `<p class=x>y</p>`: "", `<p onclick>y</p>`: "", `<p class="x>y</p>`: "", `<p class="x"id="y">z</p>`: "", `<div>x</div>`: "",
		`a < b`: "", "a\rb": "", "a\x00b": "", "a\xff": "", "a\u2028b": "", `<!-- x -->`: "", `<p/>`: "", `<`: "", `<p`: "", `<a>x</a>`: "", "&#&#0A": "",
		`<a href="javascript:alert(1)" class="x">y</a>`: "", `<a href="https://x.example/%zz" class="x">y</a>`: "",
		`<a href="https://x.example" href="https://y.example">z</a>`: "", `<script>x</script>`: "",
	} {
		got, ok := quick(s)
		if ok != (want != "") || got != want {
			t.Errorf("quick(%q) = %q, %v, want %q", s, got, ok, want)
		}
		if ok && got != c.thorough(s) {
			t.Errorf("quick(%q) = %q, the thorough way says %q", s, got, c.thorough(s))
		}
	}
}

func TestIsCleanRefuses(t *testing.T) {
	for _, s := range []string{
		"<script>", "<p", "<p>", "</p>", "<b><i></b></i>", `<p class="x"></p>`, "<P></P>", "<br/>", `<a>x</a>`, `<a href="x">x</a>`,
		`<a href="javascript:x">x</a>`, `<a href="https://">x</a>`, `<a href="https:///x">x</a>`, `<a href="https://x" b="c">x</a>`,
		`<a href="https://x y">x</a>`, `<a href="https://x&y">x</a>`, "<p><ul></ul></p>", "<p><p></p></p>", "<li><li></li></li>", "&", "&nbsp;", "&#60;", `"`, "'", ">", "a\x00", "a\rb", "\xff",
		strings.Repeat("<b>", 17) + strings.Repeat("</b>", 17), "<p >x</p>", "< p>", "<!-- x -->",
	} {
		if IsClean(s) {
			t.Errorf("IsClean(%q)", s)
		}
	}
}

func TestPlain(t *testing.T) {
	c := New()
	for in, want := range map[string]string{
		" a  b\n c ": "a b c", "<b>a</b>&amp;b": "a&b", "a<br>b<p>c</p>d": "a bc d", "1 &lt; 2": "1 < 2", "a\x07b": "ab", "": "", "<script>x</script>": "",
		"&amp;amp;lt;b>x": "x",
	} {
		if got := c.Plain(in); got != want {
			t.Errorf("Plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlainIsFinal(t *testing.T) {
	c := New()
	s := "&" + strings.Repeat("amp;", 20) + "lt;b>x"
	if p := c.Plain(s); c.Plain(p) != p || strings.ContainsAny(p, "&<") {
		t.Errorf("Plain = %q", p)
	}
}

// FuzzHTML: whatever comes in, what goes out is clean and final, and what is
// clean is what the sanitiser would let through.
func FuzzHTML(f *testing.F) {
	f.Add(`<p>a<ul><li>b<a href="https://x.example/?a&b">c`)
	f.Add(`<a href="https://x.example"><p>x</a></p>&lt;script&gt;`)
	f.Add("<svg><p><style><!--</style><img src=x onerror=alert(1)>-->")
	f.Add("&#&#0A")
	f.Add(`<span class="x">a<u>b</u>&<font color="red">amp;</font></span>`)
	f.Add(`<p class="text" style="a>b">„Ja“ &nbsp;&ndash; "nein"<br />x</p><a target="_blank" href="https://x.example/a/b?c=d" rel="x">y</a>`)
	c := New()
	f.Fuzz(func(t *testing.T, s string) {
		out := c.HTML(s)
		if !IsClean(out) || !utf8.ValidString(out) {
			t.Fatalf("HTML(%q) = %q is not clean", s, out)
		}
		s = strings.TrimSpace(s)
		if q, ok := quick(s); ok && IsClean(strings.TrimSpace(q)) && strings.TrimSpace(q) != c.thorough(s) {
			t.Fatalf("the quick way makes %q of %q, the thorough one %q", q, s, c.thorough(s))
		}
		if again := c.HTML(out); again != out {
			t.Fatalf("HTML is not final: %q, then %q", out, again)
		}
		if p := c.Plain(s); c.Plain(p) != p {
			t.Fatalf("Plain is not final: %q, then %q", p, c.Plain(p))
		}
		if IsClean(s) {
			if got := c.allowed.Sanitize(s); got != s {
				t.Fatalf("clean text %q becomes %q in the sanitiser", s, got)
			}
		}
	})
}
