package main

// target is one promise about packhouse: a figure of it, alone or divided by
// that of another server or another step, against a limit.
type target struct {
	text    string
	step    string
	figure  figure
	server  string // divide by this server's figure of the same step
	than    string // divide by packhouse's figure of this step
	atLeast bool   // the limit is a floor, else a ceiling
	limit   float64
}

// targets are the promises, in the order of the report.
func targets() []target {
	var all []target
	add := func(t target) { all = append(all, t) }
	for _, f := range forms {
		if f.form != formPost { // distribution does not offer it
			add(target{text: "speed of " + f.step + " beside distribution", step: f.step, figure: speed, server: "distribution", atLeast: true, limit: 1.2})
		}
		add(target{text: "speed of " + f.step + " beside the bare loop", step: f.step, figure: speed, server: "floor", atLeast: true, limit: 0.9})
	}
	add(target{text: "CPU per GiB pulled by 8 clients beside nginx", step: "pull 8", figure: cpuPerGiB, server: "nginx", limit: 1})
	add(target{text: "small images a second beside distribution", step: "images", figure: slowRate, server: "distribution", atLeast: true, limit: 2.3})
	add(target{text: "rate of the last tags beside the first", step: "puts, last", figure: rate, than: "puts, first", atLeast: true, limit: 0.8})
	add(target{text: "CPU of the last tags beside the first", step: "puts, last", figure: cpuMillis, than: "puts, first", limit: 1.2})
	for _, step := range []string{"manifest GET by tag", "manifest HEAD by tag", "manifest GET by digest", "manifest HEAD by digest"} {
		add(target{text: step + ", a second, beside distribution", step: step, figure: rate, server: "distribution", atLeast: true, limit: 4.5})
		add(target{text: step + ", CPU each, beside distribution", step: step, figure: cpuMicros, server: "distribution", limit: 0.18})
	}
	add(target{text: "blob HEAD, CPU each, beside distribution", step: "blob HEAD", figure: cpuMicros, server: "distribution", limit: 0.3})
	add(target{text: "a request with its decision, full database, CPU µs", step: "decision", figure: cpuMicros, limit: 100})
	for _, what := range strangersAsk() {
		add(target{text: "a stranger's " + what + " of a private package beside an absent one, p50", step: "private, " + what, figure: p50, than: "absent, " + what, limit: 1.05})
		add(target{text: "… at least", step: "private, " + what, figure: p50, than: "absent, " + what, atLeast: true, limit: 0.95})
	}
	add(target{text: "page of 100 of the tags, p50 ms", step: "page of tags", figure: p50, limit: 1})
	add(target{text: "page of 100 of the versions, REST API, p99 ms", step: "page of versions", figure: p99, limit: 5})
	add(target{text: "small images a second while garbage is collected, beside at rest", step: "images, while garbage is collected", figure: rate, than: "images, nothing collected", atLeast: true, limit: 0.9})
	add(target{text: "manifest puts a second, 8 writers, beside distribution", step: "puts, first", figure: rate, server: "distribution", atLeast: true, limit: 3})
	add(target{text: "manifest puts a second, 1 writer, beside distribution", step: "puts, one writer", figure: rate, server: "distribution", atLeast: true, limit: 3})
	add(target{text: "peak memory under 8 large pushes at once, MiB", step: "push 8 at once", figure: peak, limit: 96})
	add(target{text: "memory at rest, nothing stored, MiB", step: "rest, empty", figure: resident, limit: 40})
	add(target{text: "memory at rest, full store, MiB", step: "rest, full", figure: resident, limit: 40})
	add(target{text: "start until ready, full store, ms", step: "rest, full", figure: millis, limit: 300})
	return all
}

// measured returns the value a target is about, or false if the run lacks a part of it.
func (t target) measured(r results) (float64, bool) {
	ours, ok := over(r[t.step]["packhouse"], t.figure.of)
	if !ok {
		return 0, false
	}
	base := spread{median: 1}
	switch {
	case t.server != "":
		base, ok = over(r[t.step][t.server], t.figure.of)
	case t.than != "":
		base, ok = over(r[t.than]["packhouse"], t.figure.of)
	}
	if !ok || base.median == 0 {
		return 0, false
	}
	return ours.median / base.median, true
}

// met says whether value keeps the promise.
func (t target) met(value float64) bool {
	if t.atLeast {
		return value >= t.limit
	}
	return value <= t.limit
}
