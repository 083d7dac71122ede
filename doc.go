// Package buildpool is empty: it holds the tests of the architecture. The program is
// in cmd/buildpool, and ARCHITECTURE.md says where everything else is.
package buildpool
