// Package layering holds no code but tests of the code: which package may
// import which, and how large files, functions and interfaces may grow.
package layering
