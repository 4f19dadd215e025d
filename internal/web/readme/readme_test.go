package readme_test

import (
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"packhouse/internal/web/readme"
)

func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, markdown, want string }{
		{"headings", "# App\n## How to\n###### Six", `<h3 id="user-content-app">App</h3>` + "\n" + `<h4 id="user-content-how-to">How to</h4>` + "\n" +
			`<h6 id="user-content-six">Six</h6>` + "\n"},
		{"the same heading twice", "# A b!\n# A b!", `<h3 id="user-content-a-b">A b!</h3>` + "\n" + `<h3 id="user-content-a-b-1">A b!</h3>` + "\n"},
		{"a heading with marks", "# *A* `b`", `<h3 id="user-content-a-b"><em>A</em> <code>b</code></h3>` + "\n"},
		{"a link", "[site](https://a.example/?a=1&b=2 \"title\")", `<p><a href="https://a.example/?a=1&amp;b=2" rel="nofollow noopener">site</a></p>` + "\n"},
		{"a bare address", "https://a.example", `<p><a href="https://a.example" rel="nofollow noopener">https://a.example</a></p>` + "\n"},
		{"mail", "<ann@a.example>", `<p><a href="mailto:ann@a.example" rel="nofollow noopener">ann@a.example</a></p>` + "\n"},
		{"a place", "[below](#How-to)", `<p><a href="#user-content-how-to">below</a></p>` + "\n"},
		{"a file", "[doc](docs/a.md) [root](/settings)", "<p>doc root</p>\n"},
		{"an image", "![build](https://a.example/b.svg)", `<p><a href="https://a.example/b.svg" rel="nofollow noopener">build</a></p>` + "\n"},
		{"an image without text", "![](https://a.example/b.svg)", `<p><a href="https://a.example/b.svg" rel="nofollow noopener">b.svg</a></p>` + "\n"},
		{"an image in a link", "[![build](https://a.example/b.svg)](https://c.example)",
			`<p><a href="https://c.example" rel="nofollow noopener">build</a></p>` + "\n"},
		{"a file's image", "![logo](logo.png)", "<p>logo</p>\n"},
		{"a link without text", "[](https://a.example)", `<p><a href="https://a.example" rel="nofollow noopener">https://a.example</a></p>` + "\n"},
		{"code", "```sh\ndocker pull <x>\n```", "<pre tabindex=\"0\"><code>docker pull &lt;x&gt;\n</code></pre>\n"},
		{"a list of tasks", "- [x] done\n- [ ] to do", "<ul>\n<li>\u2611 done</li>\n<li>\u2610 to do</li>\n</ul>\n"},
		{"struck out", "~~no~~", "<p><del>no</del></p>\n"},
		{"a table", "|a|b|\n|:-|-:|\n|1|2|", "<table tabindex=\"0\">\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n" +
			"<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>\n"},
		{"HTML", "<p align=\"center\"><b>x</b><br/></p>\n", "<p align=\"center\"><b>x</b><br></p>\n"},
		{"a heading of HTML", "<h1 id=\"x\">Up</h1>\n", "<h3 id=\"user-content-up\">Up</h3>\n"},
		{"an anchor of HTML", `<a name="Top"></a>x`, `<p><a id="user-content-top"></a>x</p>` + "\n"},
		{"details", "<details open><summary>More</summary>\n\ntext\n\n</details>\n", "<details open=\"\"><summary>More</summary>\n<p>text</p>\n</details>\n"},
		{"what is left open", "<div><b>x\n\ny", "<div><b>x\n<p>y</p>\n</b></div>"},
		{"what was never open", "</div></main>x</section>\n", "x\n"},
		{"items without a list", "<li>a<td>b\n", "ab\n"},
		{"no text", "", ""},
		{"no UTF-8", "a\xffb", "<p>a\uFFFDb</p>\n"},
	} {
		if got := string(readme.Render([]byte(c.markdown))); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// vectors are texts that some reader of Markdown once made something of.
func vectors() []string {
	return []string{
		`<script>alert(1)</script>`, `<SCRIPT SRC=//a.example></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<img src=x onerror=alert(1)>`,
		`<svg onload=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<svg><a xlink:href="javascript:alert(1)">x</a></svg>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<style>@import '//a.example'</style>`, `<p style="background:url(//a.example)">x`,
		`<div class="flash" id="content">x</div>`, `<iframe src="javascript:alert(1)"></iframe>`, `<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
		`<object data="data:text/html,x"></object>`, `<embed src="//a.example">`, `<base href="//a.example">`, `<meta http-equiv=refresh content="0;url=//a.example">`,
		`<link rel=stylesheet href=//a.example>`, `<form action="/settings/tokens" method=post><button>x</button></form>`, `<button formaction=javascript:alert(1)>x</button>`,
		`<input type=image src=x onerror=alert(1)>`, `<input type=checkbox onfocus=alert(1) autofocus>`, `<video src=x onerror=alert(1)></video>`, `<audio src=x>`,
		`<textarea><script>alert(1)</script></textarea>`, `<title><script>alert(1)</script></title>`, `<plaintext><script>alert(1)`, `<xmp><script>alert(1)</script></xmp>`,
		`<template><script>alert(1)</script></template>`, `<details ontoggle=alert(1) open>x</details>`, `<a href="javascript:alert(1)">x</a>`,
		`<a href="jav&#x09;ascript:alert(1)">x</a>`, `<a href="&#106;avascript:alert(1)">x</a>`, `<a href=" &#14; javascript:alert(1)">x</a>`,
		`<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="vbscript:x">x</a>`, `<a href="//a.example">x</a>`, `<a href="/logout">x</a>`,
		`<a href="https://a.example" target=_blank onclick=alert(1) rel=opener style=x>x</a>`, `<a href=https:alert(1)>x</a>`, `<a name=content id=content>x</a>`,
		`[x](javascript:alert(1))`, `[x](JaVaScRiPt:alert(1))`, `[x](javascript&#58;alert(1))`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `[x](<javascript:alert(1)>)`,
		"[x](java\nscript:alert(1))", `[x]: javascript:alert(1)` + "\n\n[x]", `![x](javascript:alert(1))`, `![x" onerror="alert(1)](https://a.example/x)`,
		`![x](https://a.example/x"onerror="alert(1))`, `<javascript:alert(1)>`, `<https://a.example/"onmouseover="alert(1)>`, "`<script>alert(1)</script>`",
		"```\"><script>alert(1)</script>\nx\n```", `# <img src=x onerror=alert(1)>`, `# "><script>alert(1)</script>`, "<!--><script>alert(1)</script>-->", `<![CDATA[<script>alert(1)</script>]]>`,
		`<?xml <script>alert(1)</script>?>`, `<a title="</a><script>alert(1)</script>">x`, "<p title='`'><script>alert(1)</script>`'>", `<b/onclick=alert(1)>x`, "<img\x00src=x onerror=alert(1)>",
		`&lt;script&gt;alert(1)&lt;/script&gt;`, `</div></main></body><script>alert(1)</script>`, `<td id="x">`, `<table background=//a.example><tr><td background=//a.example>x`,
	}
}

func TestHostileTexts(t *testing.T) {
	t.Parallel()
	for _, v := range vectors() {
		for _, markdown := range []string{v, "# " + v, "> " + v, "- " + v, "|" + v + "|\n|-|", "x " + v + " *y*", "<div>" + v} {
			if why := harmful(string(readme.Render([]byte(markdown)))); why != "" {
				t.Errorf("%q: %s\n%s", markdown, why, readme.Render([]byte(markdown)))
			}
		}
	}
}

// harmful reads what was rendered inside a block of a page, as a browser does, and
// says what should not be there.
func harmful(rendered string) string {
	const before, after = `<main id="content"><div id="readme">`, `</div><p id="after"></p></main>`
	doc, err := html.Parse(strings.NewReader(before + rendered + after))
	if err != nil {
		return err.Error()
	}
	problem, placed := "", false
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if attr(n, "id") == "after" && n.Parent.Data == "main" {
			placed = true
			continue
		}
		if inside(n) {
			problem += check(n)
		}
	}
	if !placed {
		problem += "the block of the page does not end where it should; "
	}
	return problem
}

func inside(n *html.Node) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if attr(n, "id") == "readme" {
			return true
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func check(n *html.Node) string {
	elements := "h3 h4 h5 h6 p div span br hr blockquote pre code kbd samp var tt ul ol li dl dt dd table thead tbody tfoot tr th td caption " +
		"a b strong i em u s del strike ins sub sup small big mark q cite abbr details summary"
	if n.Namespace != "" || !slices.Contains(strings.Fields(elements), n.Data) {
		return "element " + n.Data + "; "
	}
	problem := ""
	for _, a := range n.Attr {
		ok := false
		switch a.Key {
		case "href":
			u, err := url.Parse(a.Val)
			ok = err == nil && (u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "mailto") && attr(n, "rel") == "nofollow noopener" ||
				strings.HasPrefix(a.Val, "#user-content-")
		case "id":
			ok = strings.HasPrefix(a.Val, "user-content-")
		case "rel", "align", "tabindex", "start", "colspan", "rowspan", "open":
			ok = true
		}
		if !ok {
			problem += fmt.Sprintf("%s has %s=%q; ", n.Data, a.Key, a.Val)
		}
	}
	return problem
}

// Texts that would take the parser the square of their length, or whose tags
// would multiply, are shown as they are. The test would run for minutes.
func TestTextsThatWouldTakeLong(t *testing.T) {
	t.Parallel()
	for _, part := range []string{
		">", "> * ", "* ", "1. ", ">\t", "[", "[a](", "![", "    - [a](\n", "> [a](\n", "2. [a](\n", "# a\n", "<b>", "<b i=''>", "a\n", "- a\n", "*a **b ", "`", "<", "&", "http://", "\\", "|a", "|-",
	} {
		text := []byte(strings.Repeat(part, readme.Limit/len(part)))
		got := string(readme.Render(text))
		if why := harmful(got); why != "" && len(got) < 1<<20 {
			t.Errorf("%q: %s", part, why)
		}
		if len(got) > 12*readme.Limit {
			t.Errorf("%q became %d bytes", part, len(got))
		}
	}
	if got := readme.Render([]byte(strings.Repeat("[a](", 100_000))); !strings.HasPrefix(string(got), "<pre") {
		t.Errorf("got %.100s", got)
	}
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("é<b>"), readme.Limit)
	got := string(readme.Render(long))
	if !strings.HasPrefix(got, `<pre tabindex="0">é&lt;b&gt;`) || len(got) > 3*readme.Limit || strings.Contains(got, "\uFFFD") {
		t.Errorf("%d bytes: %.100s", len(got), got)
	}
}

func FuzzRender(f *testing.F) {
	for _, v := range vectors() {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, markdown []byte) {
		if len(markdown) > 4<<10 {
			return
		}
		rendered := string(readme.Render(markdown))
		if why := harmful(rendered); why != "" && !strings.Contains(why, "exceeds") {
			t.Errorf("%q: %s\n%s", markdown, why, rendered)
		}
	})
}

// The parser looks from each mark at all before it: a text of them takes minutes.
func TestManyMarksOfEmphasisArePlain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("*a ", 20_000) + strings.Repeat("b_ ", 20_000),
		strings.Repeat("_a ", 20_000) + strings.Repeat("b~~ ", 20_000),
		strings.Repeat(strings.Repeat("*a b_ ", 2000)+"\n\n", 10),
	} {
		if got := readme.Render([]byte(text)); !strings.HasPrefix(string(got), "<pre") {
			t.Errorf("%d bytes were read as Markdown", len(text))
		}
	}
	table := "|a|b|\n|-|-|\n" + strings.Repeat("|**x**|_y_|\n", 1000)
	for _, text := range []string{table, strings.Repeat("**Note** a_b is *not* b_c.\n\n", 5000)} {
		if got := readme.Render([]byte(text)); strings.HasPrefix(string(got), "<pre") {
			t.Errorf("%.30q was not read", text)
		}
	}
}
