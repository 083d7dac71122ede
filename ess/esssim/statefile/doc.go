// Package statefile keeps what is done to a simulated account in a file, so that a
// simulator that is killed at any moment goes on where it was when it is started
// again. It is a list of changes, one JSON object a line, each written before it takes
// effect; the account is made again by doing them again.
//
// A kill -9 loses nothing. The file is not synced to the disk, so that a machine that
// loses its power may forget the last seconds, but not more.
//
// It must not know what the changes mean, nor HTTP.
package statefile
