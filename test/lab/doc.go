// Package lab is what tests of the whole program share: they build packhouse,
// start it as its users do, and run the programs of the user's side, each in a
// home of its own.
package lab
