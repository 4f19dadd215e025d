//go:build !sync_normal

package database

// commitSync: a commit that must be durable is fsynced.
const commitSync = true
