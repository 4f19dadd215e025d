package database

import (
	"fmt"
	"path/filepath"
	"syscall"
)

// refuseNetwork refuses a path on a network file system: SQLite's log needs
// memory shared between processes and locks that hold.
func refuseNetwork(path string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &fs); err != nil {
		return fmt.Errorf("the directory of the database: %w", err)
	}
	if name := networkName(uint32(fs.Type)); name != "" {
		return fmt.Errorf("the database must be on a local disk: %s is on %s", filepath.Dir(path), name)
	}
	return nil
}

// networkName names the kinds of network file systems by their magic numbers
// in statfs(2).
func networkName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0x517b, 0xff534d42, 0xfe534d42:
		return "SMB"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x00c36400:
		return "CephFS"
	}
	return ""
}
