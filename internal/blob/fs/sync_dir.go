//go:build !nofsync_dir

package fs

const dirSync = true
