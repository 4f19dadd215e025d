// Command bench measures packhouse beside distribution, nginx and a bare loop
// that only hashes, writes and fsyncs, on one disk and in one run.
//
// It builds packhouse and distribution, starts each server afresh on loopback
// for each group of scenarios, drives all of them with the same cheap client,
// and repeats the whole in rounds, one server after the other within each, so
// that a slow minute of the machine falls on all of them. What it prints are
// medians. Packhouse runs as its users run it: an account, a personal access
// token, bearer tokens from /token and private packages; the others check no
// rights at all.
//
// Beside the wall clock it reports the server's processor time, its peak
// memory, the bytes it caused to be written for each byte pushed, and the time
// a flush of the file system takes afterwards.
package main
