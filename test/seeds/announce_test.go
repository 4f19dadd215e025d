package seeds_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
)

// announce sends the head of a request whose body would have so many bytes, ends
// the body after the first, and returns the answer.
func (s *stage) announce(host, path string, size int64) (int, string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.r.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	credential := base64.StdEncoding.EncodeToString([]byte("octocat:" + s.c.Token))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\nx",
		path, s.script(host), credential, size)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		s.t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err.Error() // the server gave up on a body that never came
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}
