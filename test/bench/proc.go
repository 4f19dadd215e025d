package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of the times in /proc/PID/stat.
const clockTick = 10 * time.Millisecond

// usage is what a process and its descendants have used since they started.
type usage struct {
	cpu     time.Duration // user and system time, to one clock tick
	written int64         // bytes of pages they made dirty on block devices
}

// memory is how much of a process and its descendants is in memory, in bytes.
type memory struct {
	resident  int64
	peak      int64 // highest resident since the last resetPeak, summed over processes
	anonymous int64 // heap and stacks: what the page cache has no part in
}

// procStat is the part of /proc/PID/stat that the harness reads.
type procStat struct {
	parent int
	cpu    time.Duration
}

func readStat(pid int) (procStat, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return procStat{}, err
	}
	// The name in brackets may hold spaces; the fields start after it.
	end := bytes.LastIndexByte(raw, ')')
	fields := strings.Fields(string(raw[end+1:]))
	if end < 0 || len(fields) < 15 {
		return procStat{}, fmt.Errorf("/proc/%d/stat: unexpected form", pid)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return procStat{}, err
	}
	var ticks int64
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return procStat{}, err
		}
		ticks += n
	}
	return procStat{parent: parent, cpu: time.Duration(ticks) * clockTick}, nil
}

// tree returns pid and all its living descendants.
func tree(pid int) []int {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	children := map[int][]int{}
	for _, d := range dirs {
		child, err := strconv.Atoi(filepath.Base(d))
		if err != nil {
			continue
		}
		if st, err := readStat(child); err == nil {
			children[st.parent] = append(children[st.parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// used sums the usage of the given processes.
func used(pids []int) (usage, error) {
	var u usage
	for _, pid := range pids {
		st, err := readStat(pid)
		if err != nil {
			return usage{}, err
		}
		u.cpu += st.cpu
		fields, err := colonFields(fmt.Sprintf("/proc/%d/io", pid))
		if err != nil {
			return usage{}, err
		}
		u.written += fields["write_bytes"]
	}
	return u, nil
}

// held sums the memory of the given processes.
func held(pids []int) (memory, error) {
	var m memory
	for _, pid := range pids {
		fields, err := colonFields(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return memory{}, err
		}
		m.resident += fields["VmRSS"] << 10
		m.peak += fields["VmHWM"] << 10
		m.anonymous += fields["RssAnon"] << 10
	}
	return m, nil
}

// resetPeak makes memory.peak start again from what is resident now.
func resetPeak(pids []int) error {
	for _, pid := range pids {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return err
		}
	}
	return nil
}

// colonFields reads a file of "name: number" lines; lines of another form are left out.
func colonFields(path string) (map[string]int64, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	fields := map[string]int64{}
	for line := range strings.Lines(string(raw)) {
		name, rest, _ := strings.Cut(line, ":")
		if words := strings.Fields(rest); len(words) > 0 {
			if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
				fields[name] = n
			}
		}
	}
	return fields, nil
}
