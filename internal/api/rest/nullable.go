package rest

import "encoding/json"

// nullable is a field of a body that is absent, null, or a value: Set tells the
// first from the others, and null is the zero Value.
type nullable[T any] struct {
	Set   bool
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *nullable[T]) UnmarshalJSON(content []byte) error {
	n.Set = true
	return json.Unmarshal(content, &n.Value)
}
