//go:build ack_before_commit

package database

// answerEarly is on only in this build, a negative control of the durability
// tests: callers on SQLite hear of their commit before it is made, a crash
// takes some, and they must notice. Never ship it.
const answerEarly = true
