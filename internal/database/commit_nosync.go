//go:build sync_normal

package database

// commitSync is off only in this build, a negative control of the durability
// tests: every commit on SQLite is relaxed, a power cut takes some, and they
// must notice. Never ship it.
const commitSync = false
