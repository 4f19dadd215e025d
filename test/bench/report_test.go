package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pushed returns a sample of a push of one GiB at that speed.
func pushed(mibPerSecond float64) sample {
	return sample{
		work: work{ops: 1, bytes: 1 << 30},
		wall: time.Duration(1024 / mibPerSecond * float64(time.Second)),
	}
}

func TestMedianOfRounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   []float64
		want spread
	}{
		{[]float64{100}, spread{100, 100, 100}},
		{[]float64{300, 100}, spread{100, 200, 300}},
		{[]float64{300, 100, 128}, spread{100, 128, 300}},
	} {
		var in []sample
		for _, v := range tt.in {
			in = append(in, pushed(v))
		}
		got, ok := over(in, sample.speed)
		if !ok || number(got.median, 1) != number(tt.want.median, 1) || number(got.low, 1) != number(tt.want.low, 1) || number(got.high, 1) != number(tt.want.high, 1) {
			t.Errorf("%v: %+v, want %+v", tt.in, got, tt.want)
		}
	}
	if _, ok := over([]sample{{}}, sample.speed); ok {
		t.Error("a sample without bytes has a speed")
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	var s sample
	for i := 100; i > 0; i-- {
		s.laps = append(s.laps, time.Duration(i)*time.Millisecond)
	}
	if p50, _ := s.p50(); p50 != 50 {
		t.Errorf("p50 is %v ms", p50)
	}
	if p99, _ := s.p99(); p99 != 99 {
		t.Errorf("p99 is %v ms", p99)
	}
}

func TestReportSaysWhatIsMetAndWhatFallsShort(t *testing.T) {
	t.Parallel()
	r := results{}
	r.add("push POST+PUT", "packhouse", pushed(600))
	r.add("push POST+PUT", "distribution", pushed(400))
	r.add("push POST+PUT", "floor", pushed(800))
	text := report(options{size: 1 << 30}, "", r)
	for _, want := range []string{
		"| push of 1 GiB, POST and PUT | MiB/s | 600 (600 to 600) | 400 | 800 | – | 1.50 | 0.75 | – |",
		"| speed of push POST+PUT beside distribution | ≥ 1.2 × | 1.50 × | met |",
		"| speed of push POST+PUT beside the bare loop | ≥ 0.9 × | 0.75 × | **falls short** |",
		"| memory at rest, nothing stored, MiB | ≤ 40 | – | not measured |",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("report lacks %q:\n%s", want, text)
		}
	}
}

func TestTargetsNameStepsOfTheTable(t *testing.T) {
	t.Parallel()
	steps := map[string]bool{}
	for _, row := range rows(options{}) {
		steps[row.step] = true
	}
	for _, target := range targets() {
		if !steps[target.step] || target.than != "" && !steps[target.than] {
			t.Errorf("target %q is about a step that no row shows", target.text)
		}
	}
}

func TestInsertReplacesOnlyBetweenTheMarks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("head\n"+beginMark+"\nold\n"+endMark+"\nfoot\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first\n", "second\n"} {
		if err := insert(path, text); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if want := "head\n" + beginMark + "\n" + text + endMark + "\nfoot\n"; err != nil || string(got) != want {
			t.Errorf("page is %q, %v, want %q", got, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("no marks"), 0o644); err != nil {
		t.Fatal(err)
	}
	if insert(path, "x") == nil {
		t.Error("a page without marks was accepted")
	}
}
