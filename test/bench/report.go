package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
	none      = "–"
)

// report writes the whole report as Markdown.
func report(o options, about string, r results) string {
	var b strings.Builder
	b.WriteString(about)
	writeFigures(&b, o, r)
	b.WriteString("\n")
	writeTargets(&b, r)
	return b.String()
}

// writeFigures writes the table of all figures.
func writeFigures(b *strings.Builder, o options, r results) {
	b.WriteString("| scenario | figure | packhouse (lowest to highest) | distribution | floor | nginx | ÷ distribution | ÷ floor | ÷ nginx |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, row := range rows(o) {
		title := row.title
		for _, f := range row.figures {
			line, ok := figureLine(r[row.step], f)
			if ok {
				fmt.Fprintf(b, "| %s | %s | %s |\n", title, f.unit, line)
				title = ""
			}
		}
	}
}

// figureLine writes the cells of one figure, or false if no server has it.
func figureLine(samples map[string][]sample, f figure) (string, bool) {
	ours, have := over(samples["packhouse"], f.of)
	first := none
	if have {
		first = fmt.Sprintf("%s (%s to %s)", number(ours.median, f.digits), number(ours.low, f.digits), number(ours.high, f.digits))
	}
	cells, ratios := []string{first}, []string{}
	any := have
	for _, name := range []string{"distribution", "floor", "nginx"} {
		theirs, ok := over(samples[name], f.of)
		any = any || ok
		cell, ratio := none, none
		if ok {
			cell = number(theirs.median, f.digits)
			if have && theirs.median > 0 {
				ratio = number(ours.median/theirs.median, 2)
			}
		}
		cells, ratios = append(cells, cell), append(ratios, ratio)
	}
	return strings.Join(append(cells, ratios...), " | "), any
}

// writeTargets writes the table of promises and whether they were kept.
func writeTargets(b *strings.Builder, r results) {
	b.WriteString("| target | wanted | measured | |\n|---|---:|---:|---|\n")
	for _, t := range targets() {
		sign := "≤"
		if t.atLeast {
			sign = "≥"
		}
		unit := ""
		if t.server != "" || t.than != "" {
			unit = " ×"
		}
		value, verdict := none, "not measured"
		if v, ok := t.measured(r); ok {
			value, verdict = number(v, 2)+unit, "**falls short**"
			if t.met(v) {
				verdict = "met"
			}
		}
		fmt.Fprintf(b, "| %s | %s %s%s | %s | %s |\n", t.text, sign, trimmed(t.limit), unit, value, verdict)
	}
}

// about describes the run: command, date, machine and versions.
func about(o options, args []string, all []contender, now time.Time) string {
	var versions []string
	for _, c := range all {
		versions = append(versions, c.name+" "+c.version)
	}
	info, _ := colonFields("/proc/meminfo")
	command := strings.TrimSpace("go run ./test/bench " + strings.Join(args, " "))
	return fmt.Sprintf("`%s`, %s. Rounds: %d. Machine: %d cores (%s), %s of memory, Linux %s, %s. Versions: %s; %s.\n\n",
		command, now.UTC().Format("2006-01-02 15:04 UTC"), o.rounds, runtime.NumCPU(), processor(),
		amount(info["MemTotal"]<<10>>30<<30), kernel(), fileSystem(o.dir), strings.Join(versions, ", "), runtime.Version())
}

func processor() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func kernel() string {
	raw, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(raw))
}

// fileSystem names the type of the file system that holds dir, an absolute path.
func fileSystem(dir string) string {
	raw, _ := os.ReadFile("/proc/mounts")
	kind, longest := "unknown file system", ""
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 3 || len(f[1]) < len(longest) || !strings.HasPrefix(dir+"/", strings.TrimSuffix(f[1], "/")+"/") {
			continue
		}
		longest, kind = f[1], f[2]
	}
	return kind
}

// insert puts text between the marks of the file at path.
func insert(path, text string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(raw), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return errors.New(path + ": the marks " + beginMark + " and " + endMark + " are missing")
	}
	return os.WriteFile(path, []byte(before+beginMark+"\n"+text+endMark+after), 0o644)
}

// number writes v with so many digits after the point.
func number(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// trimmed writes v with the digits it needs.
func trimmed(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// amount writes a number of bytes in the largest unit that divides it.
func amount(n int64) string {
	if n >= 1<<30 && n%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", n>>30)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// count writes n with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
