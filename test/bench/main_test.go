package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary stand in for the program when a test starts
// the floor as a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == floorCommand {
		fmt.Fprintln(os.Stderr, serveFloor(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}
