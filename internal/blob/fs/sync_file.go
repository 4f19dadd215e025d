//go:build !nofsync_file

package fs

const fileSync = true
