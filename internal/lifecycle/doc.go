// Package lifecycle is what becomes of content after it was pushed: retention,
// which deletes what rules say; garbage collection, which frees the bytes that
// nothing needs; and the checks that rows and bytes agree.
package lifecycle
