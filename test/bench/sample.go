package main

import (
	"slices"
	"time"
)

// work is what one measured piece of load did.
type work struct {
	ops   int
	bytes int64           // pushed or pulled
	laps  []time.Duration // time of each operation, where it was taken
}

// sample is one measurement of one server in one round.
type sample struct {
	work
	wall  time.Duration
	flush time.Duration // time to flush the file system afterwards
	usage
	memory
}

// Each of these returns a figure of the sample, or false if it has none.

func (s sample) rate() (float64, bool) {
	return float64(s.ops) / s.wall.Seconds(), s.ops > 0
}

func (s sample) flushedRate() (float64, bool) {
	return float64(s.ops) / (s.wall + s.flush).Seconds(), s.ops > 0
}

func (s sample) speed() (float64, bool) {
	return mebi(s.bytes) / s.wall.Seconds(), s.bytes > 0
}

func (s sample) flushedSpeed() (float64, bool) {
	return mebi(s.bytes) / (s.wall + s.flush).Seconds(), s.bytes > 0
}

func (s sample) cpuPerGiB() (float64, bool) {
	return s.cpu.Seconds() / (mebi(s.bytes) / 1024), s.bytes > 0
}

func (s sample) cpuMillis() (float64, bool) {
	return s.cpu.Seconds() * 1e3 / float64(s.ops), s.ops > 0
}

func (s sample) cpuMicros() (float64, bool) {
	return s.cpu.Seconds() * 1e6 / float64(s.ops), s.ops > 0
}

func (s sample) writtenPerByte() (float64, bool) {
	return float64(s.written) / float64(s.bytes), s.bytes > 0
}

func (s sample) writtenPerOp() (float64, bool) {
	return float64(s.written) / 1024 / float64(s.ops), s.ops > 0
}

func (s sample) peakMiB() (float64, bool)     { return mebi(s.peak), s.peak > 0 }
func (s sample) anonMiB() (float64, bool)     { return mebi(s.anonymous), s.anonymous > 0 }
func (s sample) residentMiB() (float64, bool) { return mebi(s.resident), s.resident > 0 }
func (s sample) wallMillis() (float64, bool)  { return s.wall.Seconds() * 1e3, s.wall > 0 }
func (s sample) p50() (float64, bool)         { return s.lap(50) }
func (s sample) p99() (float64, bool)         { return s.lap(99) }

// lap returns the given percentile of the operation times in milliseconds.
func (s sample) lap(percent int) (float64, bool) {
	if len(s.laps) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(s.laps))
	return sorted[(len(sorted)-1)*percent/100].Seconds() * 1e3, true
}

func mebi(n int64) float64 { return float64(n) / (1 << 20) }

// spread is the middle and the ends of one figure over the rounds.
type spread struct{ low, median, high float64 }

// over returns the spread of a figure over samples, or false if none has it.
func over(samples []sample, figure func(sample) (float64, bool)) (spread, bool) {
	var all []float64
	for _, s := range samples {
		if v, ok := figure(s); ok {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return spread{}, false
	}
	slices.Sort(all)
	mid := all[len(all)/2]
	if len(all)%2 == 0 {
		mid = (mid + all[len(all)/2-1]) / 2
	}
	return spread{low: all[0], median: mid, high: all[len(all)-1]}, true
}
