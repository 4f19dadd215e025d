// Package layering holds no code but tests of the code: which package may
// import which, how large files, functions and interfaces may grow, and that the
// tests exist by which docs/divergences.md answers complaints.
package layering
