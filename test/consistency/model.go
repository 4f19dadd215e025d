package consistency

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// action is what a client did with a tag.
type action int

const (
	put    action = iota // the tag leads to value
	get                  // saw value; "" for no such tag
	remove               // removed the tag; "" when there was none
	list                 // saw the tag, or not, among all tags
)

// input is one request, about one tag.
type input struct {
	do    action
	tag   string
	value string // of a put
}

// output is what the answer said.
type output struct {
	value string // of a get
	found bool   // of a list and a remove
	open  bool   // no answer came
}

// history is what one client did, in the order in which it did it.
type history []porcupine.Operation

// never is the end of a request that was not answered.
const never = math.MaxInt64

func (h *history) add(client int, in input, out output, call, end time.Duration) {
	op := porcupine.Operation{ClientId: client, Input: in, Output: out, Call: int64(call), Return: int64(end)}
	if out.open {
		op.Return = never
	}
	*h = append(*h, op)
}

// tags is the model: each tag is a register by itself, which holds a digest, or
// "" for none.
func tags() porcupine.Model {
	return porcupine.Model{
		Partition: byTag,
		Init:      func() any { return "" },
		Step: func(state, in, out any) (bool, any) {
			return step(state.(string), in.(input), out.(output))
		},
		Equal:             func(a, b any) bool { return a == b },
		DescribeOperation: func(in, out any) string { return describe(in.(input), out.(output)) },
	}
}

// step says whether the answer is right while the tag leads to state, and where
// it leads then.
func step(state string, in input, out output) (bool, any) {
	switch in.do {
	case put:
		return true, in.value
	case get:
		return out.value == state, state
	case list:
		return out.found == (state != ""), state
	default:
		return out.open || out.found == (state != ""), ""
	}
}

func byTag(all []porcupine.Operation) [][]porcupine.Operation {
	at := map[string]int{}
	var parts [][]porcupine.Operation
	for _, op := range all {
		tag := op.Input.(input).tag
		i, ok := at[tag]
		if !ok {
			i = len(parts)
			at[tag] = i
			parts = append(parts, nil)
		}
		parts[i] = append(parts[i], op)
	}
	return parts
}

func describe(in input, out output) string {
	short := func(digest string) string { return digest[:min(len(digest), 15)] }
	text := map[action]string{
		put:    fmt.Sprintf("put %s", short(in.value)),
		get:    fmt.Sprintf("get: %q", short(out.value)),
		remove: fmt.Sprintf("delete: %v", out.found),
		list:   fmt.Sprintf("listed: %v", out.found),
	}[in.do]
	if out.open {
		text += ", unanswered"
	}
	return text
}
