// Package hooks tells other programs what happens to packages: subscriptions,
// the events they get, and their deliveries with retries and a log. Headers,
// signature and payload are GitHub's.
package hooks
