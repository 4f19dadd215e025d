package main

// figure is one number taken from samples.
type figure struct {
	unit   string
	digits int
	of     func(sample) (float64, bool)
}

var (
	speed        = figure{"MiB/s", 0, sample.speed}
	flushedSpeed = figure{"MiB/s with the flush", 0, sample.flushedSpeed}
	cpuPerGiB    = figure{"server CPU s/GiB", 2, sample.cpuPerGiB}
	written      = figure{"bytes written per byte pushed", 3, sample.writtenPerByte}
	writtenEach  = figure{"KiB written each", 1, sample.writtenPerOp}
	peak         = figure{"peak memory, MiB", 0, sample.peakMiB}
	anonymous    = figure{"peak anonymous memory, MiB", 0, sample.anonMiB}
	resident     = figure{"memory, MiB", 1, sample.residentMiB}
	rate         = figure{"per s", 0, sample.rate}
	slowRate     = figure{"per s", 1, sample.rate}
	flushedRate  = figure{"per s with the flush", 1, sample.flushedRate}
	cpuMillis    = figure{"server CPU ms each", 2, sample.cpuMillis}
	cpuMicros    = figure{"server CPU µs each", 0, sample.cpuMicros}
	p50          = figure{"p50 ms", 2, sample.p50}
	p99          = figure{"p99 ms", 2, sample.p99}
	millis       = figure{"ms", 0, sample.wallMillis}
)

// row is one scenario of the table: the step that measures it and its figures.
type row struct {
	title   string
	step    string
	figures []figure
}

// rows is the table, from top to bottom; o fills in the amounts.
func rows(o options) []row {
	push := []figure{speed, flushedSpeed, cpuPerGiB, written, peak, anonymous}
	pull := []figure{speed, cpuPerGiB, peak}
	read := []figure{rate, cpuMicros, p99}
	put := []figure{rate, cpuMillis, writtenEach}
	size := amount(o.size)
	all := []row{
		{"push of " + size + ", one POST", "push POST", push},
		{"push of " + size + ", POST and PUT", "push POST+PUT", push},
		{"push of " + size + ", POST, streamed PATCH, PUT", "push POST+PATCH+PUT", push},
		{"push of " + size + ", PATCHes of 16 MiB", "push chunked", push},
		{count(o.pullers) + " pushes of " + size + " at once", "push 8 at once", push},
		{"images of 4 layers × 1 MiB, " + count(o.workers) + " workers", "images",
			[]figure{slowRate, flushedRate, cpuMillis, written, peak, anonymous}},
		{"pull of " + size + ", 1 client", "pull 1", pull},
		{"pull of " + size + ", " + count(o.pullers) + " clients", "pull 8", pull},
		{"manifest GET by tag, " + count(o.conns) + " connections", "manifest GET by tag", read},
		{"manifest HEAD by tag", "manifest HEAD by tag", read},
		{"manifest GET by digest", "manifest GET by digest", read},
		{"manifest HEAD by digest", "manifest HEAD by digest", read},
		{"blob HEAD", "blob HEAD", read},
		{"manifest HEAD of 20,000 private packages by turns, with a personal access token, full database", "decision", read},
		{"bearer token from /token", "token", []figure{rate, cpuMicros}},
		{"manifest puts with new tags, 1 writer", "puts, one writer", put},
		{"… " + count(o.workers) + " writers, first " + count(o.edge) + " of " + count(o.tags) + " tags", "puts, first", put},
		{"… last " + count(o.edge), "puts, last", put},
		{"manifest GET by tag in that package", "manifest GET by tag of many", read},
		{"page of 100 of its tags, 1 connection", "page of tags", []figure{p50, p99, cpuMicros}},
		{"puts of " + count(o.referrers) + " referrers", "referrer puts", put},
		{"first page of these referrers, 1 connection", "referrers", []figure{p50, p99, cpuMicros}},
		{"page of 100 of " + count(o.versions) + " versions, REST API, 1 connection", "page of versions", []figure{p50, p99, cpuMicros}},
		{"the same images, garbage collection at rest", "images, nothing collected", []figure{slowRate, cpuMillis}},
		{"… while it removes " + count(o.garbage) + " blobs", "images, while garbage is collected", []figure{slowRate, cpuMillis}},
		{"at rest, nothing stored", "rest, empty", []figure{resident, anonymous}},
		{"… start until ready", "rest, empty", []figure{millis}},
		{"at rest, " + count(o.seeds) + " manifests stored", "rest, full", []figure{resident, anonymous}},
		{"… start until ready", "rest, full", []figure{millis}},
	}
	for _, what := range strangersAsk() {
		all = append(all, row{"a stranger's " + what + ", private package", "private, " + what, []figure{p50}},
			row{"… no package", "absent, " + what, []figure{p50}})
	}
	for _, page := range pagesAsk() {
		all = append(all, row{"page “" + page.name + "” of a package of " + count(o.versions) + " versions, signed in", "page: " + page.name + ", signed in", []figure{p50, p99, cpuMicros}})
		if !page.private {
			all = append(all, row{"… anonymous", "page: " + page.name + ", anonymous", []figure{p50, p99, cpuMicros}})
		}
	}
	return all
}
