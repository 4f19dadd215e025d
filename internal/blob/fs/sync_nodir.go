//go:build nofsync_dir

package fs

// dirSync is off only in this build, the negative control of the durability
// tests: it loses names when power fails, and they must notice. Never ship it.
const dirSync = false
