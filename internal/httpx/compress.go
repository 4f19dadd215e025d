package httpx

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// minCompressed is the least length for which compression is worth its time.
const minCompressed = 1 << 10

// WriteCompressed answers r with content, compressed when the client takes gzip.
// The header's Content-Type has to be set. A HEAD request gets no body.
func WriteCompressed(w http.ResponseWriter, r *http.Request, status int, content []byte) error {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(content) >= minCompressed && TakesGzip(r) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(content); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		content = b.Bytes()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(content)
	return err
}

// TakesGzip reports whether the client takes gzip (RFC 9110, section 12.5.3).
func TakesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, _ := strings.Cut(one, ";")
		if coding = strings.TrimSpace(coding); !strings.EqualFold(coding, "gzip") && coding != "*" {
			continue
		}
		q, isQ := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !isQ || strings.Trim(q, "0.") != ""
	}
	return false
}
