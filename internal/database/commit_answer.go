//go:build !ack_before_commit

package database

// answerEarly: nobody is answered before the commit.
const answerEarly, earlyBy = false, 0
