package readme

import "bytes"

const (
	// maxNesting is how many quotes and lists may begin in one line, and maxIndent
	// how far a list may be indented.
	maxNesting = 32
	maxIndent  = 100
	// maxBrackets bounds, summed over all paragraphs, the brackets of one times its
	// length: each may have to be held against the rest.
	maxBrackets = 200_000_000
	// maxMarks bounds, summed likewise, the square of the runs of marks of emphasis:
	// each that ends something may have to look at all before it.
	maxMarks = 50_000_000
)

// quick reports whether Markdown takes a time to read that grows with its length
// alone. The parser takes the square of it for deeply nested blocks and for many
// brackets or marks of emphasis, which people do not write.
func quick(source []byte) bool {
	var work, brackets, length, squares, marks int
	for line := range bytes.Lines(source) {
		markers, indent := prefixOf(line)
		if markers > maxNesting || markers > 0 && indent > maxIndent {
			return false
		}
		if ends(line) {
			work += brackets * length
			squares += marks * marks
			brackets, length, marks = 0, 0, 0
		}
		marks += runs(line)
		brackets += bytes.Count(line, []byte("[")) + bytes.Count(line, []byte("]"))
		length += len(line)
	}
	return work+brackets*length <= maxBrackets && squares+marks*marks <= maxMarks
}

// runs counts the marks of emphasis in a line, equal ones that touch as one.
func runs(line []byte) (n int) {
	var before byte
	for _, c := range line {
		if (c == '*' || c == '_' || c == '~') && c != before {
			n++
		}
		before = c
	}
	return n
}

// ends reports whether the paragraph before the line ends there in any case: the
// line is blank, or an item of a list that no paragraph can swallow.
func ends(line []byte) bool {
	text := bytes.TrimLeft(line, " ")
	if len(bytes.Trim(text, "\t\r\n")) == 0 {
		return true
	}
	return len(line)-len(text) < 4 && len(text) > 2 && bytes.IndexByte([]byte("-*+"), text[0]) >= 0 && text[1] == ' ' && text[2] > ' '
}

// prefixOf counts the marks of quotes and lists before a line's text, and the
// columns that they take.
func prefixOf(line []byte) (markers, indent int) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ':
			indent++
		case c == '\t':
			indent += 4
		case c == '>':
			markers++
			indent++
		case isMarker(line, i):
			markers++
			indent++
		case c >= '0' && c <= '9':
			indent++ // of a number, if a mark follows
		default:
			return markers, indent
		}
	}
	return markers, indent
}

// isMarker reports whether a list may begin at i: a mark with a space after it.
func isMarker(line []byte, i int) bool {
	space := i+1 == len(line) || line[i+1] == ' ' || line[i+1] == '\t' || line[i+1] == '\n' || line[i+1] == '\r'
	switch line[i] {
	case '-', '*', '+':
		return space
	case '.', ')':
		return space && i > 0 && line[i-1] >= '0' && line[i-1] <= '9'
	}
	return false
}
