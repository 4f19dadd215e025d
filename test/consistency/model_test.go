package consistency

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The model itself: what it must refuse, and what it must not.
func TestTheModel(t *testing.T) {
	t.Parallel()
	type op struct {
		in        input
		out       output
		call, end time.Duration
	}
	puts := func(v string, call, end time.Duration) op { return op{input{put, "t", v}, output{}, call, end} }
	gets := func(v string, call, end time.Duration) op {
		return op{input{get, "t", ""}, output{value: v}, call, end}
	}
	removes := func(found bool, call, end time.Duration) op {
		return op{input{remove, "t", ""}, output{found: found}, call, end}
	}
	lists := func(found bool, call, end time.Duration) op {
		return op{input{list, "t", ""}, output{found: found}, call, end}
	}
	open := func(o op) op { o.out.open = true; return o }
	for name, tt := range map[string]struct {
		ops  []op
		want porcupine.CheckResult
	}{
		"one after another":                       {[]op{gets("", 0, 1), puts("a", 2, 3), gets("a", 4, 5), puts("b", 6, 7), gets("b", 8, 9)}, porcupine.Ok},
		"a stale read":                            {[]op{puts("a", 0, 1), puts("b", 2, 3), gets("a", 4, 5)}, porcupine.Illegal},
		"a read beside the write":                 {[]op{puts("a", 0, 1), puts("b", 2, 9), gets("a", 3, 4), gets("b", 5, 6)}, porcupine.Ok},
		"a read that goes back":                   {[]op{puts("a", 0, 1), puts("b", 2, 9), gets("b", 3, 4), gets("a", 5, 6)}, porcupine.Illegal},
		"a lost put":                              {[]op{puts("a", 0, 1), gets("", 2, 3)}, porcupine.Illegal},
		"a value from nowhere":                    {[]op{puts("a", 0, 1), gets("b", 2, 3)}, porcupine.Illegal},
		"a delete":                                {[]op{puts("a", 0, 1), removes(true, 2, 3), gets("", 4, 5), removes(false, 6, 7)}, porcupine.Ok},
		"a deleted tag comes back":                {[]op{puts("a", 0, 1), removes(true, 2, 3), gets("a", 4, 5)}, porcupine.Illegal},
		"two deletes of one tag":                  {[]op{puts("a", 0, 1), removes(true, 2, 5), removes(true, 3, 6)}, porcupine.Illegal},
		"a list without the tag":                  {[]op{puts("a", 0, 1), lists(false, 2, 3)}, porcupine.Illegal},
		"a list with a deleted tag":               {[]op{puts("a", 0, 1), removes(true, 2, 3), lists(true, 4, 5)}, porcupine.Illegal},
		"an unanswered put that was done":         {[]op{open(puts("a", 0, 1)), gets("", 2, 3), gets("a", 4, 5)}, porcupine.Ok},
		"an unanswered put that was not done":     {[]op{open(puts("a", 0, 1)), gets("", 2, 3), gets("", 4, 5)}, porcupine.Ok},
		"an unanswered put that was undone":       {[]op{open(puts("a", 0, 1)), gets("a", 2, 3), gets("", 4, 5)}, porcupine.Illegal},
		"an unanswered delete that was done late": {[]op{puts("a", 0, 1), open(removes(false, 2, 3)), gets("a", 4, 5), lists(false, 6, 7)}, porcupine.Ok},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h history
			for i, o := range tt.ops {
				h.add(i, o.in, o.out, o.call, o.end)
			}
			if got := porcupine.CheckOperationsTimeout(tags(), h, 0); got != tt.want {
				t.Errorf("the checker says %s, want %s", got, tt.want)
			}
		})
	}
}
