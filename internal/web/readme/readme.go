// Package readme turns the Markdown that people write into what a page may show.
//
// What they write is not trusted. Markdown is rendered with the HTML in it, each
// tag is then looked at and written anew (see rewrite), and a sanitizer that knows
// nothing of the former has the last word.
package readme

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

// Limit is how many bytes of Markdown are rendered; longer texts are shown as
// they are, up to it.
const Limit = 256 << 10

// Render returns Markdown, as GitHub writes it, as HTML that is safe inside a
// block of a page whose headings are one h1 and an h2 above the text: headings
// begin with h3, ids with user-content-. Images become links, since pages load
// none from elsewhere. Tags are balanced. Whatever would take long to read is
// shown as plain text. It never fails, and is safe for concurrent use.
func Render(markdown []byte) template.HTML {
	source := bytes.ToValidUTF8(markdown, []byte("\uFFFD"))
	if len(source) > Limit || !quick(source) {
		return plain(source)
	}
	var rendered bytes.Buffer
	if err := converter().Convert(source, &rendered); err != nil {
		return plain(source)
	}
	return template.HTML(policy().Sanitize(rewrite(rendered.Bytes()))) //nolint:gosec // that is what a sanitizer is for
}

// plain shows text as it is.
func plain(source []byte) template.HTML {
	if len(source) > Limit {
		source = bytes.ToValidUTF8(source[:Limit], nil)
	}
	return template.HTML(`<pre tabindex="0">` + template.HTMLEscapeString(string(source)) + "</pre>") //nolint:gosec // escaped
}

// converter returns GitHub's Markdown without ids of headings, which rewrite
// gives them, and with HTML, which it reads.
func converter() goldmark.Markdown {
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))
	return goldmark.New(
		goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList, table),
		goldmark.WithRendererOptions(html.WithUnsafe()),
	)
}

// elements are all that comes out.
const elements = "h3 h4 h5 h6 p div span br hr blockquote pre code kbd samp var tt ul ol li dl dt dd table thead tbody tfoot tr th td caption " +
	"a b strong i em u s del strike ins sub sup small big mark q cite abbr details summary"

// policy is the sanitizer.
func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements(strings.Fields(elements)...)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true) // rewrite leaves those within the text
	p.RequireParseableURLs(true)
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^nofollow noopener$`)).OnElements("a")
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^user-content-[^\s"'<>&]+$`)).Globally()
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("h3", "h4", "h5", "h6", "p", "div", "td", "th")
	p.AllowAttrs("tabindex").Matching(regexp.MustCompile(`^0$`)).OnElements("pre", "table")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[1-9][0-9]?$`)).OnElements("td", "th")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^$`)).OnElements("details")
	return p
}
