package main

import (
	"io"

	"k8s.io/utils/clock"
)

// environment is what a command may know of the world outside: its streams, the
// clock and the variables. Only main reads the real ones, so that a test can run
// any command whole.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	clock          clock.WithTicker
	getenv         func(string) string
}
