// Package baseline serves the builds of a trace by other means than an autoscaler: a
// pool that never changes, nodes that a clairvoyant orders, and what no pool can be
// cheaper than. A run of the simulator is worth what lies between them.
//
// It knows nothing of boot times, stock and reclaims: that is the point.
package baseline
