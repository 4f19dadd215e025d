// Package crash takes the power from a running registry and looks at what is
// left. It builds the real program, keeps its data on a file system of its own
// in a loop-mounted image, lets several clients push, tag and delete over HTTP,
// and ends the process at a random moment: by SIGKILL, or by shutting the file
// system down under it, which drops everything that was not fsynced. Then it
// starts the program again and compares every package with what had been
// acknowledged, byte for byte. A request without an answer may have taken
// effect or not, and nothing in between.
//
// Builds with one durability step left out go through the same cycles and must
// lose something; a harness that passes them would prove nothing.
//
// Further tests take away what the program stands on while it runs: blocks,
// inodes, fsync, the S3 server, PostgreSQL.
//
// Everything needs root on Linux, mkfs.ext4 and loop devices. The tests run in
// a mount namespace of their own, so that no mount outlives them. They take
// flags:
//
//	go test ./test/crash -args -kills 200 -cuts 200 -seed 7 -fs ext4
//
// A failure prints the seed. The same seed makes the same requests and the same
// delays; the disk decides what they meet.
package crash
