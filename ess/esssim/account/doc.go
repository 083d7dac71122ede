// Package account is the state of a simulated Alibaba Cloud account: scaling
// groups, instances, scaling activities, stock, and the catalogue around them.
//
// State is worked out when it is read: every call first runs the events that are
// due on the caller's clock, in the order of time and then of creation, so that
// the same seed and the same calls give the same identifiers and the same state,
// on a wall clock, an accelerated one or a virtual one. Nothing runs in between.
//
// It must not know HTTP, JSON answers, signatures, rate limits or the SDK: that
// is the wire face in package esssim.
package account
