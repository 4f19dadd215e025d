package s3

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

// state is all that a node needs to go on with an upload. Keys are without the
// prefix of the store.
type state struct {
	// Object is where the multipart upload goes, Upload its id at the service;
	// empty while the upload is shorter than a part.
	Object string `json:"object,omitempty"`
	Upload string `json:"upload,omitempty"`
	// Checked says that the service was given the SHA-256 of each part.
	Checked bool   `json:"checked,omitempty"`
	Parts   []part `json:"-"`
	// Tail holds the bytes behind the parts, fewer than a part may have.
	Tail     string `json:"tail,omitempty"`
	TailSize int64  `json:"tailSize,omitempty"`
	// Old are objects that this state replaces. They go when the state is seen
	// again, for only then is it sure to be recorded.
	Old []string `json:"old,omitempty"`
}

// part is one finished part; its number is its place in the list.
type part struct {
	size int64
	etag string
	sum  [32]byte // SHA-256; zero when the service was not given it
}

// size returns how many bytes the parts hold.
func (st state) size() int64 {
	var n int64
	for _, p := range st.Parts {
		n += p.size
	}
	return n
}

// encode returns the length of a JSON object, that object, and the parts, each
// of which takes about 53 bytes: base64 would not fit into the room there is.
func (st state) encode() []byte {
	head, _ := json.Marshal(st) // strings, numbers and booleans always marshal
	b := binary.AppendUvarint(nil, uint64(len(head)))
	b = append(b, head...)
	for _, p := range st.Parts {
		b = binary.AppendUvarint(b, uint64(p.size))
		if raw, err := hex.DecodeString(p.etag); err == nil && len(raw) == 16 && hex.EncodeToString(raw) == p.etag {
			b = append(append(b, 0), raw...)
		} else {
			b = append(append(b, byte(len(p.etag))), p.etag...)
		}
		if st.Checked {
			b = append(b, p.sum[:]...)
		}
	}
	return b
}

// decodeState returns the state of up, and an error of kind Internal when it
// does not describe up.Size bytes.
func decodeState(up blob.Staged) (state, error) {
	if err := checkID(up.ID); err != nil {
		return state{}, err
	}
	st, err := parseState(up.State)
	if err == nil && st.size()+st.TailSize != up.Size {
		err = fmt.Errorf("it describes %d bytes, not %d", st.size()+st.TailSize, up.Size)
	}
	if err != nil {
		return state{}, errs.Wrap(errs.Internal, fmt.Errorf("state of upload %s: %w", up.ID, err), "the upload is damaged")
	}
	return st, nil
}

var errState = errors.New("it is cut off")

func parseState(b []byte) (state, error) {
	var st state
	if len(b) == 0 {
		return st, nil
	}
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return st, errState
	}
	head, rest := b[n:n+int(length)], b[n+int(length):]
	if err := json.Unmarshal(head, &st); err != nil {
		return st, err
	}
	for len(rest) > 0 {
		var p part
		var err error
		if p, rest, err = parsePart(rest, st.Checked); err != nil {
			return st, err
		}
		st.Parts = append(st.Parts, p)
	}
	return st, nil
}

func parsePart(b []byte, checked bool) (part, []byte, error) {
	var p part
	size, n := binary.Uvarint(b)
	if n <= 0 || len(b) == n || size > 5<<40 {
		return p, nil, errState
	}
	p.size = int64(size)
	length := int(b[n])
	b = b[n+1:]
	raw := length == 0
	if raw {
		length = 16
	}
	if len(b) < length {
		return p, nil, errState
	}
	if p.etag = string(b[:length]); raw {
		p.etag = hex.EncodeToString(b[:length])
	}
	b = b[length:]
	if checked {
		if copy(p.sum[:], b) < len(p.sum) {
			return p, nil, errState
		}
		b = b[len(p.sum):]
	}
	return p, b, nil
}
