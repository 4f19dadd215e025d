//go:build !linux

package database

// refuseNetwork knows the file systems of Linux alone.
func refuseNetwork(string) error { return nil }
