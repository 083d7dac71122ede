// Package report says what a run of the capacity simulator came to: how long builds
// waited and why, what it cost, what of it was wasted, and what the cheapest thinkable
// pool would have cost. A Report is plain data with a version; the writers make text,
// JSON, CSV and one self-contained page of it.
//
// It knows neither how a run comes about nor files, flags or the wall clock.
package report
