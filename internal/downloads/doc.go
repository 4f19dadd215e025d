// Package downloads counts pulls. A pull is a client's GET of a manifest and then
// of one of the blobs that it names, counted once in a quarter of an hour; what
// only looks, such as HEAD, a listing or a check for updates, is none.
//
// Who reads waits for nothing: counts are kept in memory and written together
// every few seconds. A node that dies loses those of its last seconds.
package downloads
