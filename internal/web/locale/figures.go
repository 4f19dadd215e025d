package locale

import (
	"strconv"
	"time"

	"golang.org/x/text/number"
)

// formats are how a language writes a day and a minute, as layouts of package time.
type formats struct{ day, minute string }

func formatsOf(tag string) formats {
	switch tag {
	case "zh-CN":
		return formats{"2006年1月2日", "2006年1月2日 15:04"}
	case "de":
		return formats{"02.01.2006", "02.01.2006, 15:04"}
	case "fr":
		return formats{"02/01/2006", "02/01/2006 15:04"}
	}
	return formats{"Jan 2, 2006", "Jan 2, 2006, 15:04"}
}

// Number writes a whole number.
func (l *Locale) Number(n int64) string { return l.numbers.Sprint(number.Decimal(n)) }

// Percent writes a share of 1 in whole percents.
func (l *Locale) Percent(share float64) string {
	return l.numbers.Sprint(number.Percent(share, number.MaxFractionDigits(0)))
}

// Bytes writes a size, in units of 1024.
func (l *Locale) Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	size, unit := float64(n), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	digits := 0
	if unit > 0 && size < 100 {
		digits = 1
	}
	return l.numbers.Sprint(number.Decimal(size, number.MaxFractionDigits(digits))) + " " + units[unit]
}

// Day and Minute write a moment, in UTC. The zero time is "never".
func (l *Locale) Day(t time.Time) string { return l.moment(t, l.format.day) }

// Minute writes a moment to the minute, in UTC.
func (l *Locale) Minute(t time.Time) string { return l.moment(t, l.format.minute+" UTC") }

func (l *Locale) moment(t time.Time, layout string) string {
	if t.IsZero() {
		return l.mustText("time.never")
	}
	return t.UTC().Format(layout)
}

// Ago says how long before now t was, or how long after it t will be, in the
// largest unit that fits. The zero time is "never".
func (l *Locale) Ago(t, now time.Time) string {
	if t.IsZero() {
		return l.mustText("time.never")
	}
	d, key := now.Sub(t), "time.ago."
	if d < 0 {
		d, key = -d, "time.in."
	}
	const day = 24 * time.Hour
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"years", 365 * day}, {"months", 30 * day}, {"days", day}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if n := int64(d / unit.size); n > 0 {
			text, err := l.Count(key+unit.name, n)
			if err != nil {
				return strconv.FormatInt(n, 10) + " " + unit.name
			}
			return text
		}
	}
	return l.mustText("time.now")
}
