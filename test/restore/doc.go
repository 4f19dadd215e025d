// Package restore acts out the loss of a machine: a backup is made of a running
// registry while images are pushed, everything is destroyed, the backup is put
// back elsewhere, and every image that was acknowledged before the backup began
// must be there, byte for byte.
package restore
