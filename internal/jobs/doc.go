// Package jobs is the durable queue of work that is done beside requests:
// deliveries of hooks, retention, garbage collection, moves of packages.
//
// A job is a row. It is inserted in the transaction of the change that asks for
// it, so it exists if and only if the change does. Any node works it, under a
// lease that it renews; a node that dies loses its jobs to the others when the
// lease is over. So a job may run more than once, and each must be harmless to
// repeat.
package jobs
