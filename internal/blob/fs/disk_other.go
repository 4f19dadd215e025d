//go:build !linux

package fs

import "os"

const noFollow = 0

func datasync(f *os.File) error { return f.Sync() }

func forget(file) {}
