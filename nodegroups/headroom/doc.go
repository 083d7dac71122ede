// Package headroom decides how much spare room a node group keeps for the next builds:
// a number of slots, or a share of the builds that run, during hours.
//
// It knows no clock, no cluster and no cloud; what is done about it is package cluster's.
package headroom
