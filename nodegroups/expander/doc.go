// Package expander is the policy by which one of several node groups is chosen to
// grow: tiers, priorities, what recently went wrong with a group, waste and price.
//
// It is pure: facts, options and a moment go in, a ranking with its reasons comes
// out. It knows no gRPC, no wire, no cloud, no clock and no lock, and it must not
// know where its facts come from.
package expander
