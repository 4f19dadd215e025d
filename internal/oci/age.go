package oci

import (
	"strconv"
	"strings"
	"time"

	"packhouse/internal/errs"
)

// maxAge is the longest time that ParseAge reads, a hundred years.
const maxAge = 36500 * 24 * time.Hour

// ParseAge reads a time that people write in days and weeks, such as 90d, 2w,
// 12h or 1d12h: whole numbers over zero, each with its unit w, d, h, m or s.
func ParseAge(text string) (time.Duration, error) {
	units := map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	var total time.Duration
	for rest := strings.TrimSpace(text); ; {
		i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if i < 1 {
			return 0, errAge(text)
		}
		n, err := strconv.ParseInt(rest[:i], 10, 32)
		unit, known := units[rest[i]]
		if err != nil || !known || n > int64(maxAge/unit) {
			return 0, errAge(text)
		}
		total += time.Duration(n) * unit
		if rest = rest[i+1:]; total > maxAge {
			return 0, errAge(text)
		}
		if rest == "" {
			break
		}
	}
	if total <= 0 {
		return 0, errAge(text)
	}
	return total, nil
}

func errAge(text string) error {
	return errs.New(errs.Invalid, "a time is written such as 90d, 2w or 12h, and is not %q", text)
}
