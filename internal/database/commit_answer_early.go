//go:build ack_before_commit

package database

import "time"

// answerEarly is on only in this build, a negative control of the durability
// tests: callers on SQLite hear of their commit before it is made, a crash
// takes some, and they must notice. It is earlyBy later, as on a slow disk:
// that of the tests writes to memory. Never ship it.
const answerEarly, earlyBy = true, 10 * time.Millisecond
