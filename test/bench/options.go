package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// options say what a run measures and how much of it.
type options struct {
	rounds  int
	only    string
	servers []string
	write   bool
	quick   bool
	dir     string // where servers keep their data: the disk that is measured
	binary  string // a built packhouse; empty builds one
	filled  bool   // packhouse begins with the crowd of fill
	profile string // where CPU profiles of packhouse go; empty takes none

	size      int64         // of the large blob
	pullers   int           // clients that pull, and that push, large blobs at once
	images    int           // small images pushed
	workers   int           // connections that push them
	conns     int           // connections that read
	span      time.Duration // how long each kind of read is repeated
	settle    time.Duration // how long a server is left alone before its memory at rest is read
	tags      int           // tags of the one large package
	edge      int           // tags at each end of it that are measured
	referrers int
	seeds     int // manifests stored before the start that is timed
	versions  int // of the package whose versions are listed
	garbage   int // blobs that are collected during pushes
}

var allServers = []string{"packhouse", "distribution", "floor", "nginx"}

// parseOptions reads the command line.
func parseOptions(args []string) (options, error) {
	o := options{pullers: 8, workers: 8, conns: 16, settle: 2 * time.Second}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 3, "how often each scenario runs; medians are reported")
	f.StringVar(&o.only, "only", "", "run only the groups whose names are in this comma-separated list: "+strings.Join(groupNames(), ", "))
	servers := f.String("servers", strings.Join(allServers, ","), "servers to measure")
	f.BoolVar(&o.write, "write", false, "put the tables into docs/benchmarks.md")
	f.BoolVar(&o.filled, "filled", false, "let packhouse begin with 10,000 accounts, 100,000 packages and 1,000,000 versions")
	f.BoolVar(&o.quick, "quick", false, "one round of small amounts: checks the harness, measures little")
	f.StringVar(&o.dir, "dir", ".tools/bench", "directory on the disk to measure")
	f.StringVar(&o.binary, "packhouse", "", "measure this binary instead of building ./cmd/packhouse")
	f.StringVar(&o.profile, "profile", "", "write perf profiles of packhouse, one for each measurement, into this directory; they cost speed")
	mebibytes := f.Int64("size", 1024, "MiB of the large blob")
	f.IntVar(&o.images, "images", 400, "small images to push")
	f.IntVar(&o.tags, "tags", 10000, "tags of the large package")
	f.IntVar(&o.referrers, "referrers", 1000, "referrers of one manifest")
	f.IntVar(&o.seeds, "manifests", 100000, "manifests stored before the timed start")
	f.IntVar(&o.versions, "versions", 50000, "versions of the package whose list is read")
	f.IntVar(&o.garbage, "garbage", 6000, "blobs that are collected while images are pushed")
	f.DurationVar(&o.span, "span", 3*time.Second, "how long each kind of read is repeated")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.size = *mebibytes << 20
	if o.quick {
		set := map[string]bool{}
		f.Visit(func(fl *flag.Flag) { set[fl.Name] = true })
		o.shrink(set)
	}
	o.edge = max(1, o.tags/10)
	o.servers = strings.Split(*servers, ",")
	return o, o.check()
}

// shrink lowers every amount that the command line did not set.
func (o *options) shrink(set map[string]bool) {
	lower := func(name string, n *int, to int) {
		if !set[name] {
			*n = to
		}
	}
	lower("rounds", &o.rounds, 1)
	lower("images", &o.images, 48)
	lower("tags", &o.tags, 1000)
	lower("referrers", &o.referrers, 100)
	lower("manifests", &o.seeds, 2000)
	lower("versions", &o.versions, 1000)
	lower("garbage", &o.garbage, 200)
	if !set["size"] {
		o.size = 64 << 20
	}
	o.settle = 200 * time.Millisecond
	if !set["span"] {
		o.span = 500 * time.Millisecond
	}
}

func (o *options) check() error {
	for _, s := range o.servers {
		if !slices.Contains(allServers, s) {
			return fmt.Errorf("no server %q; there are %s", s, strings.Join(allServers, ", "))
		}
	}
	for _, name := range o.groups() {
		if !slices.Contains(groupNames(), name) {
			return fmt.Errorf("no group %q; there are %s", name, strings.Join(groupNames(), ", "))
		}
	}
	if o.rounds < 1 || o.size < 1<<20 || o.images < o.workers || o.tags < 200 || o.referrers < 1 || o.seeds < 1 || o.versions < 1 || o.garbage < 20 {
		return fmt.Errorf("amounts are too small: at least 1 round, 1 MiB, %d images, 200 tags, 1 referrer, 1 manifest, 1 version, 20 blobs of garbage", o.workers)
	}
	return os.MkdirAll(o.dir, 0o755)
}

// groups returns the names asked for, all if none were.
func (o *options) groups() []string {
	if o.only == "" {
		return groupNames()
	}
	return strings.Split(o.only, ",")
}
