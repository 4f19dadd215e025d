package s3

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

const (
	gibi = int64(1) << 30
	id   = "00000000-0000-4000-8000-000000000001"
)

// upload returns the state of an upload of n bytes; cut says that every part
// was cut as short as a Writer may.
func upload(n int64, cut bool) state {
	st := state{Object: "blobs/00/" + id + ".0123456789abcdef", Upload: strings.Repeat("u", 200), Checked: true}
	for offset := int64(0); offset < n; {
		size := int64(partSize(offset))
		if cut {
			size = max(minPart, size*4/5)
		}
		size = min(size, n-offset)
		etag := fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(offset))))[:32]
		st.Parts = append(st.Parts, part{size: size, etag: etag, sum: sha256.Sum256([]byte(etag))})
		offset += size
	}
	return st
}

func TestTenThousandPartsHoldFiveTebi(t *testing.T) {
	t.Parallel()
	if n := len(upload(5<<40, false).Parts); n >= 10_000 {
		t.Errorf("5 TiB take %d parts; the service takes 10,000", n)
	}
	for offset := int64(0); offset < 5<<40; offset += gibi / 3 {
		if n := int64(partSize(offset)); n < minPart || n > 5*gibi || offset < 48*gibi && n > 16<<20 {
			t.Fatalf("the part at %d is to be %d bytes long", offset, n)
		}
	}
}

func TestAStateStaysShort(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{1, 5, 10, 20, 40, 100} {
		for _, cut := range []bool{false, true} {
			st := upload(n*gibi, cut)
			st.Tail, st.Old = "uploads/"+id+".0123456789abcdef", []string{"uploads/" + id + ".0123456789abcdef"}
			if got, most := int64(len(st.encode())), (n+9)/10*64<<10; got > most {
				t.Errorf("the state of %d GiB takes %d bytes, at most %d are promised (cut: %v)", n, got, most, cut)
			}
		}
	}
}

func TestAStateComesBackWhole(t *testing.T) {
	t.Parallel()
	unchecked := upload(20<<20, false)
	unchecked.Checked = false
	for i := range unchecked.Parts {
		unchecked.Parts[i].sum = [32]byte{}
		unchecked.Parts[i].etag = fmt.Sprintf("odd-etag-%d", i)
	}
	tail := upload(10<<20, false)
	tail.Tail, tail.TailSize, tail.Old = "uploads/x", 77, []string{"a", "b"}
	for _, st := range []state{{Tail: "blobs/x", TailSize: 9}, upload(100<<20, false), unchecked, tail} {
		up := blob.Staged{ID: id, Size: st.size() + st.TailSize, State: st.encode()}
		got, err := decodeState(up)
		if err != nil || !reflect.DeepEqual(got, st) {
			t.Errorf("got %+v, %v; want %+v", got, err, st)
		}
		up.Size++
		if _, err := decodeState(up); !errs.Is(err, errs.Internal) {
			t.Errorf("a state of another size = %v, want an internal error", err)
		}
	}
}

func FuzzParseState(f *testing.F) {
	f.Add(upload(10<<20, false).encode())
	f.Add(state{Tail: "blobs/x", TailSize: 9}.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := parseState(b)
		if err != nil {
			return
		}
		again, err := parseState(st.encode())
		if err != nil || again.size() != st.size() || len(again.Parts) != len(st.Parts) {
			t.Errorf("%+v does not come back: %+v, %v", st, again, err)
		}
	})
}

// scripted answers as a service does that is up or down.
type scripted struct {
	up    bool
	calls int
}

func (s *scripted) RoundTrip(*http.Request) (*http.Response, error) {
	s.calls++
	if !s.up {
		return nil, errSilent
	}
	return &http.Response{Body: http.NoBody}, nil
}

func TestTheBreakerLetsOneRequestASecondTry(t *testing.T) {
	t.Parallel()
	service := &scripted{}
	now := time.Unix(1e9, 0)
	b := &breaker{next: service, now: func() time.Time { return now }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://service", nil)
	if err != nil {
		t.Fatal(err)
	}
	send := func(times int) {
		for range times {
			if answer, err := b.RoundTrip(r); err == nil {
				_ = answer.Body.Close()
			}
		}
	}
	for _, step := range []struct {
		what  string
		wait  time.Duration
		up    bool
		sends int
		calls int
	}{
		{"the first failures are all tried", 0, false, 20, 5},
		{"then none within a second", 900 * time.Millisecond, false, 20, 0},
		{"then one", 100 * time.Millisecond, false, 20, 1},
		{"it answers again", time.Second, true, 20, 20},
		{"one failure is none", 0, false, 4, 4},
		{"an answer between forgets them", 0, true, 1, 1},
		{"so these are again the first", 0, false, 4, 4},
	} {
		service.calls, service.up = 0, step.up
		now = now.Add(step.wait)
		send(step.sends)
		if service.calls != step.calls {
			t.Errorf("%s: %d of %d requests reached the service, want %d", step.what, service.calls, step.sends, step.calls)
		}
	}
}
