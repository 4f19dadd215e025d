// Package frame is what all pages have in common: who looks at them, in which
// language and theme, what stands around each, how forms are read, how failures
// are shown, and where packages have their addresses.
//
// The rooms below internal/web are groups of pages. Each opens a Room with its
// templates and texts, declares its pages with the types of their data, and puts
// its routes on the Frame.
package frame
