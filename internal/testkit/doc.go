// Package testkit holds what the tests of several packages need: a database of
// either engine for each test, and fixtures. Nothing but tests imports it.
package testkit
