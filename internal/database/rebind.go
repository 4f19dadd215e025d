package database

import (
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// rebinder turns ? placeholders into $1, $2, …, once for each text. It keeps
// as many texts as a connection keeps statements.
type rebinder struct {
	texts sync.Map
	kept  atomic.Int32
}

func (r *rebinder) text(query string) string {
	if t, ok := r.texts.Load(query); ok {
		return t.(string)
	}
	t := rebind(query)
	if r.kept.Add(1) <= maxStatements {
		r.texts.Store(query, t)
	}
	return t
}

// rebind numbers the placeholders outside quotes and comments.
func rebind(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	n := 0
	for i := 0; i < len(query); i++ {
		switch c := query[i]; {
		case c == '?':
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		case c == '\'' || c == '"':
			end := skipTo(query, i+1, string(c))
			b.WriteString(query[i:end])
			i = end - 1
		case strings.HasPrefix(query[i:], "--"):
			end := skipTo(query, i, "\n")
			b.WriteString(query[i:end])
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// skipTo returns the position after the next occurrence of mark at or after
// from, or the end of query.
func skipTo(query string, from int, mark string) int {
	i := strings.Index(query[from:], mark)
	if i < 0 {
		return len(query)
	}
	return from + i + len(mark)
}
