package httpx

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"packhouse/internal/errs"
)

// MaxPage is the most entries of one page; who asks for more gets these.
const MaxPage = 1000

// maxLast is the longest place to go on from; no name is longer.
const maxLast = 1024

// Page is which part of a list is wanted: up to N entries after Last.
type Page struct {
	N    int    // 0 to MaxPage
	Last string // "" from the start
}

// ParsePage reads n and last; size is N when n is absent. An n that is no
// number or negative, and either of them twice, is Invalid with the code
// PAGINATION_NUMBER_INVALID.
func ParsePage(q url.Values, size int) (Page, error) {
	p := Page{N: size, Last: q.Get("last")}
	if len(q["n"]) > 1 || len(q["last"]) > 1 || len(p.Last) > maxLast {
		return Page{}, pageError("n and last may be given once, and last has at most 1024 characters")
	}
	text, ok := q["n"]
	if !ok {
		return p, nil
	}
	if !digits(text[0]) {
		return Page{}, pageError("n must be a whole number, 0 or more")
	}
	n, err := strconv.Atoi(text[0])
	if err != nil { // digits alone: larger than any int
		n = math.MaxInt
	}
	p.N = min(n, MaxPage)
	return p, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func pageError(text string) error {
	return errs.New(errs.Invalid, "%s", text).WithCode("PAGINATION_NUMBER_INVALID")
}

// Query parses the query of r; a malformed one is Invalid, where r.URL.Query
// would silently drop parts of it.
func Query(r *http.Request) (url.Values, error) {
	if r.URL.RawQuery == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "the query of the address is malformed")
	}
	return q, nil
}

// NextLink returns the value of a Link header that names the page after the
// entry last: the path and query of r with n and last replaced. It is relative,
// so it holds whatever host the client used.
func NextLink(r *http.Request, n int, last string) string {
	q := r.URL.Query()
	q.Set("n", strconv.Itoa(n))
	q.Set("last", last)
	return "<" + r.URL.EscapedPath() + "?" + q.Encode() + `>; rel="next"`
}
