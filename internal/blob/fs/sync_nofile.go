//go:build nofsync_file

package fs

// fileSync is off only in this build, the negative control of the durability
// tests: it loses data when power fails, and they must notice. Never ship it.
const fileSync = false
