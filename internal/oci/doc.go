// Package oci holds the words of the OCI distribution and image specifications:
// names, tags, digests, references, media types and manifests, with their
// parsers and limits. It does no I/O and is safe for concurrent use.
//
// Every value of its types has passed its parser, so the rest of the program
// never handles an unchecked name or digest.
package oci
