package readme

import (
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/html"
)

// prefix keeps the ids of a text apart from those of the page.
const prefix = "user-content-"

func idAttribute(id string) string { return pair("id", prefix+id) }

func pair(name, value string) string { return " " + name + `="` + html.EscapeString(value) + `"` }

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name && a.Namespace == "" {
			return strings.TrimSpace(a.Val)
		}
	}
	return ""
}

// attributes returns those that an element keeps; none for a link that leads
// nowhere. The sanitizer holds them against its own list.
func (r *rewriter) attributes(name string, t html.Token) string {
	var out string
	switch name {
	case "a":
		if to := target(attribute(t, "href")); to != "" {
			r.bare = to
			return link(to)
		}
		if id := slug(attribute(t, "name") + attribute(t, "id")); id != "" {
			return idAttribute(id)
		}
		return ""
	case "pre", "table":
		out = pair("tabindex", "0") // they may be wider than the page
	case "details":
		for _, a := range t.Attr {
			if a.Key == "open" {
				out = pair("open", "")
			}
		}
	}
	for _, kept := range []string{"align", "start", "colspan", "rowspan"} {
		if value := strings.ToLower(attribute(t, kept)); value != "" {
			out += pair(kept, value)
		}
	}
	return out
}

// target is where a link may lead: elsewhere, or to a place of the same text. A
// path has no meaning here, as the files beside the text are not here.
func target(href string) string {
	if fragment, ok := strings.CutPrefix(href, "#"); ok && fragment != "" {
		if id := slug(fragment); id != "" {
			return "#" + prefix + id
		}
		return ""
	}
	u, err := url.Parse(href)
	if err != nil {
		return ""
	}
	if scheme := strings.ToLower(u.Scheme); (scheme == "http" || scheme == "https") && u.Host != "" || scheme == "mailto" && u.Opaque != "" {
		return u.String()
	}
	return ""
}

func link(to string) string {
	if strings.HasPrefix(to, "#") {
		return pair("href", to)
	}
	return pair("href", to) + pair("rel", "nofollow noopener")
}

// image writes a link to an image, as pages show none from elsewhere; inside of
// a link, and where the image is not on the web, its text alone.
func (r *rewriter) image(src, alt string) {
	to := target(src)
	if alt == "" && to != "" && !strings.HasPrefix(to, "#") {
		alt = path.Base(to)
	}
	linked := to != "" && !strings.HasPrefix(to, "#") && len(r.open) < maxDepth
	for _, open := range r.open {
		linked = linked && open != "a"
	}
	if !linked {
		r.text(alt)
		return
	}
	r.out = append(r.out, "<a"+link(to)+">"...)
	r.text(alt)
	r.out = append(r.out, "</a>"...)
}
