// Package app is the composition root: from a configuration to stores,
// services, handlers and jobs, and from there to a server that starts, drains
// and stops.
//
// Two halves: Build composes, Serve serves. The first knows every package of
// the house; the second knows handlers, checks and a configuration, and nothing
// of what is behind them.
package app
