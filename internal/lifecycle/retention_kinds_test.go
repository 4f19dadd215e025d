package lifecycle_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/oci"
)

// facts is what a push works out of a version.
func (s *shelf) facts(m thing) string {
	s.t.Helper()
	var kind string
	var size int64
	var expires sql.NullInt64
	s.check(s.db.Read().QueryRow(s.t.Context(), `SELECT kind, total_size, expires_at FROM versions WHERE digest = ?`, m.digest.String()).Scan(&kind, &size, &expires))
	text := fmt.Sprintf("%s %d", kind, size-int64(len(m.content)))
	if expires.Valid {
		text += fmt.Sprintf(" %dh", (expires.Int64-s.now.UnixMicro())/3600e6)
	}
	return text
}

// What a push works out is worked out later for versions from before, too.
func TestKindsAreWorkedOutOnce(t *testing.T) {
	onShelves(t, func(s *shelf) {
		p := s.app.Package
		image := s.image(p, []string{"layer", "layer", "other"}, "v1")
		labelled := s.pushed(p, fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[]}`, oci.MediaTypeImageManifest,
			s.blob(p, "application/vnd.oci.image.config.v1+json", `{"config":{"Labels":{"quay.expires-after":"2d"}}}`)), "short")
		index := s.index(p, []thing{image}, "all")
		signature := s.image(p, nil, "sha256-"+image.digest.Hex()+".sig")
		want := map[*thing]string{
			&image:     "image " + fmt.Sprint(len(`{"os":"linux","n":1}`)+len("layer")+len("other")),
			&labelled:  "image 49 48h",
			&index:     "index 0",
			&signature: "signature " + fmt.Sprint(len(`{"os":"linux","n":3}`)),
		}
		for m, facts := range want {
			if got := s.facts(*m); got != facts {
				t.Errorf("pushed: %q, want %q\n%s", got, facts, m.content)
			}
		}
		s.exec(`UPDATE versions SET kind = '', total_size = 0, expires_at = NULL`)
		for n := 1; n > 0; {
			var err error
			n, err = s.store.ClassifyVersions(t.Context(), 3)
			s.check(err)
		}
		for m, facts := range want {
			if got := s.facts(*m); got != facts {
				t.Errorf("worked out later: %q, want %q", got, facts)
			}
		}
		// The same manifest under a name of its own is an image again, and its time begins anew.
		s.days(1)
		s.pushed(p, signature.content, "image")
		s.pushed(p, labelled.content, "short")
		if got := s.facts(signature); !strings.HasPrefix(got, "image ") {
			t.Errorf("pushed again: %q", got)
		}
		if got := s.facts(labelled); got != want[&labelled] {
			t.Errorf("pushed again: %q", got)
		}
	})
}
