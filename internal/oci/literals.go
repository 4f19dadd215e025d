package oci

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string. The result may be a part of the body: callers that keep
// it copy it.
func (s *scanner) text() ([]byte, *fault) {
	if s.peek() != '"' {
		return nil, s.missing("a string")
	}
	start := s.pos + 1
	for s.pos = start; s.pos < len(s.body); s.pos++ {
		switch c := s.body[s.pos]; {
		case c == '"':
			s.pos++
			return s.body[start : s.pos-1], nil
		case c == '\\':
			return s.escapedText(start)
		case c < ' ':
			return nil, faultf("control character in a string at byte %d", s.pos)
		}
	}
	return nil, s.missing("the end of a string")
}

// escapedText reads the rest of a string that began at start and whose first
// backslash is next.
func (s *scanner) escapedText(start int) ([]byte, *fault) {
	out := append([]byte(nil), s.body[start:s.pos]...)
	for s.pos < len(s.body) {
		switch c := s.body[s.pos]; {
		case c == '"':
			s.pos++
			return out, nil
		case c == '\\':
			r, f := s.escape()
			if f != nil {
				return nil, f
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			return nil, faultf("control character in a string at byte %d", s.pos)
		default:
			out = append(out, c)
			s.pos++
		}
	}
	return nil, s.missing("the end of a string")
}

// escape reads one escape sequence, a surrogate pair as one.
func (s *scanner) escape() (rune, *fault) {
	if s.pos+1 >= len(s.body) {
		return 0, s.missing("the end of a string")
	}
	at := s.pos
	s.pos += 2
	switch c := s.body[at+1]; c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return s.unicodeEscape(at)
	}
	return 0, faultf("unknown escape in a string at byte %d", at)
}

// unicodeEscape reads the digits of the \u that stands at the byte at.
func (s *scanner) unicodeEscape(at int) (rune, *fault) {
	r, ok := s.hex4()
	if ok && utf16.IsSurrogate(r) {
		ok = s.pos+1 < len(s.body) && s.body[s.pos] == '\\' && s.body[s.pos+1] == 'u'
		if ok {
			s.pos += 2
			var low rune
			low, ok = s.hex4()
			r = utf16.DecodeRune(r, low)
		}
		ok = ok && r != utf8.RuneError
	}
	if !ok || r == 0 {
		return 0, faultf("the escape at byte %d is no character, or NUL", at)
	}
	return r, nil
}

func (s *scanner) hex4() (rune, bool) {
	if s.pos+4 > len(s.body) {
		return 0, false
	}
	n := rune(0)
	for _, c := range s.body[s.pos : s.pos+4] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.pos += 4
	return n, true
}

// number reads a number as it is written.
func (s *scanner) number() ([]byte, *fault) {
	s.peek()
	start := s.pos
	s.accept('-')
	switch {
	case s.accept('0'):
	case !s.digits():
		s.pos = start
		return nil, s.missing("a value")
	}
	if s.accept('.') && !s.digits() {
		return nil, s.missing("a digit")
	}
	if s.accept('e') || s.accept('E') {
		if !s.accept('+') {
			s.accept('-')
		}
		if !s.digits() {
			return nil, s.missing("a digit")
		}
	}
	return s.body[start:s.pos], nil
}

// accept reads c if it is the next byte.
func (s *scanner) accept(c byte) bool {
	if s.pos >= len(s.body) || s.body[s.pos] != c {
		return false
	}
	s.pos++
	return true
}

// digits reads digits and reports whether there was one.
func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.body) && '0' <= s.body[s.pos] && s.body[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

// integer reads a number of zero or more that is written without fraction and
// exponent and fits an int64.
func (s *scanner) integer() (int64, *fault) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return 0, s.missing("a whole number")
	}
	written, f := s.number()
	if f != nil {
		return 0, f
	}
	n, err := strconv.ParseUint(string(written), 10, 63)
	if err != nil {
		return 0, faultf("%s is not a whole number from 0 to 9223372036854775807", shown(written))
	}
	return int64(n), nil
}
