//go:build !linux

package fs

import (
	"errors"
	"os"
)

func flock(*os.File) error { return errors.ErrUnsupported }
