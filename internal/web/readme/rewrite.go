package readme

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

// maxDepth is how deep elements may lie in each other; deeper ones lose their tags.
const maxDepth = 64

// A rewriter writes the tags of a text anew: only those that are allowed, with
// the attributes that it gives them, each closed where it has to be.
type rewriter struct {
	out     []byte
	allowed map[string]bool
	open    []string
	drop    bool   // the next text is none for people: a script or a style
	bare    string // where the open link leads, until it has a text
	heading heading
	ids     map[string]int
}

// heading is the one that is being read: its id is known when its text is.
type heading struct {
	at   int // in out, where its attributes are; 0 for no heading
	text []byte
}

// rewrite returns the text with the tags that readers may see. Its time and the
// length of what comes out grow with the length of the text alone.
func rewrite(rendered []byte) string {
	r := &rewriter{allowed: map[string]bool{}, ids: map[string]int{}}
	for _, name := range strings.Fields(elements) {
		r.allowed[name] = true
	}
	z := html.NewTokenizer(bytes.NewReader(rendered))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: nothing else fails when bytes are read
			r.closeTo(0)
			return string(r.out)
		case html.TextToken:
			r.text(z.Token().Data)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z.Token())
		case html.EndTagToken:
			r.drop = false
			r.end(shifted(z.Token().Data))
		default:
		}
	}
}

func (r *rewriter) text(s string) {
	if r.drop {
		return
	}
	if r.heading.at > 0 {
		r.heading.text = append(r.heading.text, s...)
	}
	if strings.TrimSpace(s) != "" {
		r.bare = ""
	}
	r.out = append(r.out, html.EscapeString(s)...)
}

// shifted is the name of an element on our pages: headings begin below h2.
func shifted(name string) string {
	if isHeading(name) {
		return "h" + string(min('6', name[1]+2))
	}
	return name
}

func isHeading(name string) bool {
	return len(name) == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6'
}

func (r *rewriter) start(t html.Token) {
	r.drop = false
	switch name := shifted(t.Data); name {
	case "script", "style", "iframe", "noembed", "noframes", "noscript", "title", "xmp", "textarea", "plaintext":
		r.drop = true
	case "img":
		r.image(attribute(t, "src"), attribute(t, "alt"))
	case "input": // of a list of tasks
		if attribute(t, "type") == "checkbox" {
			r.text(checkbox(slices.ContainsFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "checked" })))
		}
	case "br", "hr":
		r.out = append(r.out, "<"+name+">"...)
	default:
		if r.allowed[name] && r.place(name) {
			r.write(name, t)
		}
	}
}

func checkbox(checked bool) string {
	if checked {
		return "\u2611"
	}
	return "\u2610"
}

// place makes the place for an element, and reports whether it has one.
func (r *rewriter) place(name string) bool {
	switch name {
	case "a":
		r.end("a") // links do not lie in each other
	case "li":
		return r.within(true, "ul", "ol")
	case "dt", "dd":
		return r.within(true, "dl")
	case "thead", "tbody", "tfoot", "tr", "td", "th", "caption":
		return r.within(false, "table")
	case "summary":
		return r.within(false, "details")
	}
	return len(r.open) < maxDepth
}

// within reports whether one of the elements is open. With whole set it closes
// what is open in it.
func (r *rewriter) within(whole bool, names ...string) bool {
	for i := len(r.open) - 1; i >= 0; i-- {
		if slices.Contains(names, r.open[i]) {
			if whole {
				r.closeTo(i + 1)
			}
			return len(r.open) < maxDepth
		}
	}
	return false
}

func (r *rewriter) write(name string, t html.Token) {
	attributes := r.attributes(name, t)
	if name == "a" && attributes == "" {
		return
	}
	r.out = append(r.out, "<"+name...)
	if isHeading(name) && r.heading.at == 0 {
		r.heading.at = len(r.out)
	}
	r.out = append(r.out, attributes+">"...)
	r.open = append(r.open, name)
}

// end closes an element and all in it; one that is not open does not matter.
func (r *rewriter) end(name string) {
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i] == name {
			r.closeTo(i)
			return
		}
	}
}

func (r *rewriter) closeTo(depth int) {
	for i := len(r.open) - 1; i >= depth; i-- {
		name := r.open[i]
		if name == "a" && r.bare != "" {
			r.text(r.bare) // a link needs something to click on
		}
		r.out = append(r.out, "</"+name+">"...)
		r.open = r.open[:i]
		if isHeading(name) {
			r.name()
		}
	}
}

// name gives the heading that was read an id, after its text as on GitHub.
func (r *rewriter) name() {
	h := r.heading
	r.heading = heading{}
	id := slug(string(h.text))
	if h.at == 0 || id == "" {
		return
	}
	n := r.ids[id]
	r.ids[id]++
	if n > 0 {
		id += "-" + strconv.Itoa(n)
	}
	r.out = slices.Insert(r.out, h.at, []byte(idAttribute(id))...)
}

// slug is the text of a heading as a part of an address.
func slug(text string) string {
	text = text[:min(len(text), 400)]
	return strings.Map(func(c rune) rune {
		switch {
		case unicode.IsLetter(c), unicode.IsDigit(c), c == '-', c == '_':
			return unicode.ToLower(c)
		case c == ' ':
			return '-'
		}
		return -1
	}, strings.TrimSpace(strings.ToValidUTF8(text, "")))
}
