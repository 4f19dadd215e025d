package account

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one password check spends.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Threads   uint8
}

// DefaultCost is the floor that OWASP gives for argon2id: 19 MiB, two passes.
var DefaultCost = Cost{MemoryKiB: 19 * 1024, Passes: 2, Threads: 1}

// maxMemoryKiB bounds what a stored hash may make us allocate.
const maxMemoryKiB = 1 << 20

const (
	saltLength = 16
	keyLength  = 32
)

var phcBase64 = base64.RawStdEncoding.Strict()

// hashed is a password hash in the form $argon2id$v=19$m=,t=,p=$salt$key, which
// keeps its own parameters.
type hashed struct {
	cost      Cost
	salt, key []byte
}

func derive(password, salt []byte, c Cost) hashed {
	return hashed{c, salt, argon2.IDKey(password, salt, c.Passes, c.MemoryKiB, c.Threads, keyLength)}
}

func (h hashed) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		h.cost.MemoryKiB, h.cost.Passes, h.cost.Threads,
		phcBase64.EncodeToString(h.salt), phcBase64.EncodeToString(h.key))
}

func (h hashed) matches(password []byte) bool {
	return subtle.ConstantTimeCompare(h.key, derive(password, h.salt, h.cost).key) == 1
}

func parseHash(s string) (hashed, error) {
	var h hashed
	var version int
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, fmt.Errorf("password hash is not argon2id in PHC form")
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return h, fmt.Errorf("password hash has another version of argon2")
	}
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.cost.MemoryKiB, &h.cost.Passes, &h.cost.Threads)
	if err != nil {
		return h, fmt.Errorf("password hash has broken parameters: %w", err)
	}
	if h.cost.MemoryKiB > maxMemoryKiB || h.cost.Passes == 0 || h.cost.Threads == 0 {
		return h, fmt.Errorf("password hash has parameters out of bounds")
	}
	if h.salt, err = phcBase64.DecodeString(parts[4]); err != nil {
		return h, fmt.Errorf("password hash has a broken salt: %w", err)
	}
	if h.key, err = phcBase64.DecodeString(parts[5]); err != nil || len(h.key) != keyLength {
		return h, fmt.Errorf("password hash has a broken key")
	}
	return h, nil
}
