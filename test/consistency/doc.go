// Package consistency checks that a tag is one register, whoever asks: many
// clients put, read, list and delete the same tags at the same time, on one
// process and on two over one database, and an order of their requests must
// exist that explains every answer and keeps the order of those that did not
// overlap (linearizability, decided by porcupine). What happened to a request
// whose answer never came stays open: it may have been done then, later or not
// at all.
//
// Rounds of two seconds follow each other until -for is over.
package consistency
