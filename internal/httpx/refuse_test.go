package httpx_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/httpx"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	const host = " HTTP/1.1\r\nHost: a\r\n"
	tests := []struct {
		name, raw string
		status    int
	}{
		{"length beside chunks", "PUT /a" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400},
		{"chunks beside length", "PUT /a" + host + "Transfer-Encoding: chunked\r\nCONTENT-LENGTH: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400},
		{"two lengths", "PUT /a" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
		{"one length twice", "PUT /a" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
		{"folded line", "PUT /a" + host + "X-A: b\r\n Content-Length: 3\r\nContent-Length: 0\r\n\r\n", 400},
		{"bare line feed", "GET /a HTTP/1.1\nHost: a\n\n", 400},
		{"bare line feed after a chunk size", "PUT /a" + host + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400},
		{"another transfer encoding", "PUT /a" + host + "Transfer-Encoding: xchunked\r\n\r\n", 501},
		{"negative length", "PUT /a" + host + "Content-Length: -1\r\n\r\n", 400},
		{"signed length", "PUT /a" + host + "Content-Length: +3\r\n\r\nabc", 400},
		{"compressed body", "PUT /a" + host + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 415},
		{"identity is no compression", "PUT /a" + host + "Content-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 200},
		{"101 parameters", "GET /a?" + strings.Repeat("a=1&", 100) + "a=1" + host + "\r\n", 400},
		{"100 parameters", "GET /a?" + strings.Repeat("a=1&", 99) + "a=1" + host + "\r\n", 200},
		{"51 cookies", "GET /a" + host + "Cookie: " + strings.Repeat("a=1; ", 50) + "a=1\r\n\r\n", 400},
		{"trace", "TRACE /a" + host + "\r\n", 405},
		{"connect", "CONNECT a:443" + host + "\r\n", 405},
		{"chunks", "PUT /a" + host + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX-T: 1\r\n\r\n", 200},
		{"length", "PUT /a" + host + "Content-Length: 3\r\n\r\nabc", 200},
	}
	s := serve(t, httpx.Handle(readAll, plainText), func(_ *httpx.Options, o *httpx.ListenerOptions) { o.Places = make(chan struct{}, 100) })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// What a smuggler hides behind the first request must not be run.
			c := s.send(t, tt.raw+"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
			r := bufio.NewReader(c)
			res, body := answer(t, r)
			if res.StatusCode != tt.status {
				t.Errorf("%d %s, want %d", res.StatusCode, body, tt.status)
			}
			if tt.status == 200 {
				return
			}
			if _, err := http.ReadResponse(r, nil); err == nil {
				t.Error("the connection went on after the refusal")
			}
			if res.Header.Get("X-Request-Id") != "" && !json.Valid([]byte(body)) {
				t.Errorf("the refusal is no JSON: %s", body)
			}
		})
	}
}

// TestFramingCutAnywhere feeds connections in pieces of every size: pipelined
// requests whose bodies look like headers are fine, an odd one at the end is
// found.
func TestFramingCutAnywhere(t *testing.T) {
	t.Parallel()
	clean := "\r\nPUT /a HTTP/1.1\r\nHost: a\r\nX-Long: " + strings.Repeat("y", 300) + "\r\nContent-Length: 44\r\n\r\n" +
		"Content-Length: 1\r\nTransfer-Encoding: none\n\n" +
		"PATCH /b HTTP/1.1\r\ntransfer-encoding: chunked\r\nContent-Type: a/b\r\n\r\n1A\r\nContent-Length: 1\n folded\n\r\n0\r\nT: 1\r\n\r\n" +
		"GET /c HTTP/1.1\r\nHost: a\r\n\r\n"
	odd := clean + "POST /d HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
	for piece := 1; piece <= len(odd); piece++ {
		if httpx.FeedFraming(clean, piece) {
			t.Fatalf("pieces of %d: clean requests are called ambiguous", piece)
		}
		if !httpx.FeedFraming(odd, piece) {
			t.Fatalf("pieces of %d: the ambiguous request was missed", piece)
		}
	}
}

func FuzzFraming(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 4)
	f.Add("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 1)
	f.Fuzz(func(t *testing.T, stream string, piece int) {
		if piece < 1 {
			return
		}
		if whole, cut := httpx.FeedFraming(stream, len(stream)+1), httpx.FeedFraming(stream, piece); whole != cut {
			t.Errorf("whole %v, in pieces of %d %v", whole, piece, cut)
		}
	})
}
