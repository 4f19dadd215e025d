// Package evidence reads what people attach to images: provenance, signatures and
// bills of materials, as far as their formats are known. It tells what a document
// says. Whether that is true it does not check: no signature is verified here.
//
// Documents are not trusted. What comes out is short text without control
// characters, and lists of a bounded length.
package evidence
