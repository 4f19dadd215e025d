package frame

import (
	"net/http"
	"strings"
)

// routes are the patterns of all pages. Those that begin with a word and those
// that begin with the name of an account are kept apart: in one mux they would
// contradict each other. No account can be named like one of the words.
type routes struct {
	fixed, named *http.ServeMux
	words        map[string]bool // the first segments of fixed
	packages     *http.ServeMux  // what is below the address of a package
	patterns     []string        // all of them, in the order in which they were added
}

func newRoutes() routes {
	return routes{fixed: http.NewServeMux(), named: http.NewServeMux(), words: map[string]bool{}, packages: http.NewServeMux()}
}

func (r *routes) handle(pattern string, h http.Handler) {
	r.patterns = append(r.patterns, pattern)
	_, path, ok := strings.Cut(pattern, " ")
	if !ok {
		path = pattern
	}
	word := firstSegment(path)
	if strings.HasPrefix(word, "{") && word != "{$}" {
		r.named.Handle(pattern, h)
		return
	}
	r.words[word] = true
	r.fixed.Handle(pattern, h)
}

// ServeHTTP implements http.Handler.
func (r routes) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if word := firstSegment(req.URL.Path); word == "" || r.words[word] {
		r.fixed.ServeHTTP(w, req)
		return
	}
	r.named.ServeHTTP(w, req)
}

func firstSegment(path string) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return word
}
