package oci

import (
	"strconv"
	"strings"

	"packhouse/internal/errs"
)

// ParseContentRange reads the Content-Range of a chunk of an upload: "a-b", both
// ends included. HTTP's own spelling, "bytes a-b/n" with a number or a star
// behind the slash, and "bytes=a-b" are understood too. On success
// 0 <= start <= end and the length, end-start+1, fits an int64.
//
// The error is Invalid with the code BLOB_UPLOAD_INVALID. Whether the chunk
// comes in order is not known here; that refusal is BadRange.
func ParseContentRange(s string) (start, end int64, err error) {
	text := strings.Trim(s, " \t")
	if unit := len("bytes"); len(text) > unit && strings.EqualFold(text[:unit], "bytes") {
		if text[unit] != ' ' && text[unit] != '=' {
			return 0, 0, rangeError("Content-Range must be START-END, such as 0-1023")
		}
		text = strings.TrimLeft(text[unit+1:], " ")
	}
	span, total, hasTotal := strings.Cut(text, "/")
	first, last, found := strings.Cut(span, "-")
	start, startOK := parseOffset(first)
	end, endOK := parseOffset(last)
	if !found || !startOK || !endOK {
		return 0, 0, rangeError("Content-Range must be START-END, such as 0-1023")
	}
	if end < start {
		return 0, 0, rangeError("Content-Range ends before it starts")
	}
	if hasTotal && total != "*" {
		if n, ok := parseOffset(total); !ok || n <= end {
			return 0, 0, rangeError("Content-Range has a total that is no number or lies within the range")
		}
	}
	return start, end, nil
}

// parseOffset reads digits alone. The greatest int64 is refused, so that one
// more than an offset is still a number.
func parseOffset(s string) (int64, bool) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err == nil && n < 1<<63-1
}

func rangeError(text string) *errs.Error {
	return errs.New(errs.Invalid, "%s", text).WithCode("BLOB_UPLOAD_INVALID")
}

// UploadRange is the Range header that tells a client how many bytes of its
// upload are held. None is "0-0", as is one: docker's client fails on an end
// before the start.
func UploadRange(size int64) string {
	return "0-" + strconv.FormatInt(max(size-1, 0), 10)
}
