package oci

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"packhouse/internal/errs"
)

func TestParseContentRange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in         string
		start, end int64
	}{
		{"0-0", 0, 0},
		{"0-1023", 0, 1023},
		{" 5-9\t", 5, 9},
		{"007-0010", 7, 10},
		{"bytes 0-9/*", 0, 9},
		{"bytes 0-9/10", 0, 9},
		{"Bytes 3-9/999", 3, 9},
		{"bytes 0-9", 0, 9},
		{"bytes=0-9", 0, 9},
		{"10737418240-10737418240", 10 << 30, 10 << 30},
		{"0-9223372036854775806", 0, math.MaxInt64 - 1},
	}
	for _, tt := range tests {
		start, end, err := ParseContentRange(tt.in)
		if err != nil || start != tt.start || end != tt.end {
			t.Errorf("ParseContentRange(%q) = %d, %d, %v", tt.in, start, end, err)
		}
	}
}

func TestParseContentRangeRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "-", "0-", "-1", "0--1", "1-0", "5", "a-b", "0-1,3-4", "+1-2", "1-+2", "0x1-0x2", "1_0-2_0", "1.0-2", "0 - 1", "0-1-2",
		"0-9223372036854775807", "0-9223372036854775808", "99999999999999999999999-1",
		"bytes", "bytes ", "bytes */10", "bytes:0-1", "bytes0-1", "octets 0-1/2", "bytes 0-9/9", "bytes 0-9/", "bytes 0-9/-1", "bytes 0-9/*/*",
		"٠-١",
	} {
		start, end, err := ParseContentRange(in)
		wantCode(t, err, errs.Invalid, "BLOB_UPLOAD_INVALID")
		if start != 0 || end != 0 {
			t.Errorf("ParseContentRange(%q) = %d, %d beside its error", in, start, end)
		}
	}
}

func TestUploadRangeIsWhatClientsRead(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]string{0: "0-0", 1: "0-0", 2: "0-1", 1 << 40: "0-1099511627775"} {
		got := UploadRange(size)
		if got != want {
			t.Errorf("UploadRange(%d) = %q, want %q", size, got, want)
		}
		var start, end int64
		if n, err := fmt.Sscanf(got, "%d-%d", &start, &end); n != 2 || err != nil || end < start {
			t.Errorf("docker reads %q as %d-%d, %v", got, start, end, err)
		}
	}
}

func FuzzParseContentRange(f *testing.F) {
	for _, s := range []string{"0-1", "bytes 0-9/10", "bytes=0-", "0--1", "9223372036854775806-9223372036854775807", "-", "bytes 0-1/*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start, end, err := ParseContentRange(s)
		if err != nil {
			wantCode(t, err, errs.Invalid, "BLOB_UPLOAD_INVALID")
			return
		}
		if start < 0 || end < start || end-start+1 <= 0 {
			t.Fatalf("ParseContentRange(%q) = %d-%d", s, start, end)
		}
		if strings.ContainsAny(s, "\x00\r\n+,") {
			t.Errorf("ParseContentRange took %q", s)
		}
		plain := fmt.Sprintf("%d-%d", start, end)
		if a, b, err := ParseContentRange(plain); a != start || b != end || err != nil {
			t.Errorf("%q became %q, which became %d-%d, %v", s, plain, a, b, err)
		}
	})
}
