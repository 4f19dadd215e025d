package oci

import (
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds how deep objects and arrays of a manifest may nest.
const maxDepth = 32

// fault says what is wrong with a document and where. The path grows from the
// inside out while the scanner unwinds.
type fault struct{ path, text string }

func faultf(format string, args ...any) *fault {
	return &fault{text: fmt.Sprintf(format, args...)}
}

// within puts one more step in front of the path; nil stays nil.
func (f *fault) within(step string) *fault {
	switch {
	case f == nil:
	case f.path == "" || f.path[0] == '[':
		f.path = step + f.path
	default:
		f.path = step + "." + f.path
	}
	return f
}

// String returns "path: text".
func (f *fault) String() string {
	if f.path == "" {
		return f.text
	}
	return f.path + ": " + f.text
}

// shownLength is how much of a client's own words an error text repeats.
const shownLength = 64

// shown makes a name or a value fit for an error text.
func shown[T string | []byte](name T) string {
	s := string(name[:min(len(name), shownLength)])
	if len(name) > shownLength {
		s = strings.ToValidUTF8(s, "") + "…"
	}
	for i := range len(s) {
		if !alphanumericAnyCase(s[i]) && strings.IndexByte("._-/+", s[i]) < 0 {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// scanner reads one JSON text from front to back, without going back and without
// building a tree. Unlike encoding/json it refuses names that stand twice in one
// object at any depth, lone surrogates and NUL characters: documents that two
// readers may take for different things. The body must be valid UTF-8. What
// follows the first fault is undefined.
type scanner struct {
	body  []byte
	pos   int
	depth int
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.body); s.pos++ {
		switch c := s.body[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// missing says that want was expected at this place.
func (s *scanner) missing(want string) *fault {
	if s.peek() == 0 && s.pos >= len(s.body) {
		return faultf("expected %s, but the document ends", want)
	}
	return faultf("expected %s at byte %d", want, s.pos)
}

// object reads an object and calls member with each name, the scanner standing
// before the value, which member must read. The name is valid during the call.
func (s *scanner) object(member func(name []byte) *fault) *fault {
	if f := s.open('{', "an object"); f != nil {
		return f
	}
	var names nameSet
	for more := !s.closed('}'); more; {
		name, f := s.text()
		if f != nil {
			return f
		}
		if !names.add(name) {
			return faultf("the name %s stands twice in one object", shown(name))
		}
		if s.peek() != ':' {
			return s.missing("a colon")
		}
		s.pos++
		if f := member(name); f != nil {
			return f.within(shown(name))
		}
		if more, f = s.another('}'); f != nil {
			return f
		}
	}
	return nil
}

// array reads an array and calls element before each element, which element must
// read.
func (s *scanner) array(element func() *fault) *fault {
	if f := s.open('[', "an array"); f != nil {
		return f
	}
	more := !s.closed(']')
	for i := 0; more; i++ {
		f := element()
		if f == nil {
			more, f = s.another(']')
		}
		if f != nil {
			return f.within("[" + strconv.Itoa(i) + "]")
		}
	}
	return nil
}

func (s *scanner) open(bracket byte, want string) *fault {
	if s.peek() != bracket {
		return s.missing(want)
	}
	if s.depth++; s.depth > maxDepth {
		return faultf("nested deeper than %d levels", maxDepth)
	}
	s.pos++
	return nil
}

// closed reads the closing bracket if it is next.
func (s *scanner) closed(bracket byte) bool {
	if s.peek() != bracket {
		return false
	}
	s.pos++
	s.depth--
	return true
}

// another reads what stands behind an element and reports whether one more
// follows.
func (s *scanner) another(bracket byte) (bool, *fault) {
	if s.closed(bracket) {
		return false, nil
	}
	if s.peek() != ',' {
		return false, s.missing("a comma or " + string(rune(bracket)))
	}
	s.pos++
	return true, nil
}

// null reads null if it is next.
func (s *scanner) null() bool {
	return s.peek() == 'n' && s.literal("null") == nil
}

func (s *scanner) literal(word string) *fault {
	if rest := s.body[s.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.missing("a value")
	}
	s.pos += len(word)
	return nil
}

// skip reads a value of any kind.
func (s *scanner) skip() *fault {
	switch s.peek() {
	case '{':
		return s.object(func([]byte) *fault { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, f := s.text()
		return f
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	_, f := s.number()
	return f
}

// end checks that nothing but white space is left.
func (s *scanner) end() *fault {
	s.peek()
	if s.pos < len(s.body) {
		return faultf("something follows the document at byte %d", s.pos)
	}
	return nil
}

// fewNames is up to how many names are compared one by one; real manifests stay
// below it.
const fewNames = 12

// nameSet holds the names of one object.
type nameSet struct {
	few  [fewNames][]byte
	n    int
	many map[string]struct{}
}

// add reports whether name is new. It keeps name.
func (n *nameSet) add(name []byte) bool {
	for _, other := range n.few[:n.n] {
		if string(other) == string(name) {
			return false
		}
	}
	if n.n < fewNames {
		n.few[n.n] = name
		n.n++
		return true
	}
	if n.many == nil {
		n.many = make(map[string]struct{})
	}
	if _, twice := n.many[string(name)]; twice {
		return false
	}
	n.many[string(name)] = struct{}{}
	return true
}
