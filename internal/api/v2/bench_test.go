package v2_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// silent is a ResponseWriter that keeps nothing.
type silent struct{ header http.Header }

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(p []byte) (int, error) { return len(p), nil }
func (s *silent) WriteHeader(int)             {}

// BenchmarkManifest is what the server spends on a manifest below net/http,
// with a bearer token, the decision and the query.
func BenchmarkManifest(b *testing.B) {
	s := newServer(b)
	m := s.manifest("alice/app")
	s.want(s.send("PUT", "/v2/alice/app/manifests/v1", m), 201)
	name, err := oci.ParseName("alice/app")
	check(b, err)
	bearer, err := s.tokens.Issue(b.Context(), s.who["alice"], []access.Grant{{Name: name, Actions: []access.Action{access.Read, access.Write}}})
	check(b, err)
	for what, path := range map[string]string{
		"tag": "manifests/v1", "digest": "manifests/" + oci.SHA256.FromBytes(m).String(),
		"blob": "blobs/" + oci.SHA256.FromBytes([]byte("{}")).String(),
	} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("HEAD", "/v2/alice/app/"+path, nil)
				r.Header.Set("Authorization", "Bearer "+bearer.Token.Reveal())
				s.handler.ServeHTTP(&silent{http.Header{}}, r)
			}
		})
	}
}
