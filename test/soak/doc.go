// Package soak has clients push, mount, skip, pull and delete while garbage
// collection runs every second with its waits shortened to seconds, and holds the
// registry to what it said: what a client was told is there is taken in a
// manifest, and what was stored and not deleted can be pulled, byte for byte. When
// the clients rest, what nothing needs must be gone within two grace periods.
//
// The load goes on for -for.
package soak
