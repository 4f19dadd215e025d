// Package backup keeps copies of a registry in a directory: the rows as a dump,
// the blobs as files named by their digests, and a manifest that is written last
// and says what belongs together. It knows no SQL and no store of blobs: what
// dumps the rows and what holds the bytes is given to it.
//
//	packhouse-backup.json        the manifest; without it there is no backup
//	database-TIME-NONCE/         the dump that it names
//	blobs/sha256/ab/HEX          bytes of a blob; likewise sha512
//
// A further backup into the same directory copies only what is new, and takes the
// place of the one before once it is whole and on the disk.
package backup
