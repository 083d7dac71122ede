// Package schedule tells when recurring windows of time are open: a cron expression
// says when one begins, a duration how long it stays, a time zone whose clock is meant
// and a list of holidays when it stays closed.
//
// It knows no node groups and reads no clock.
package schedule
