// Package nodegroups makes the decisions: it answers cluster-autoscaler from an
// immutable snapshot of the cloud, holds a target per node group, and turns what
// it is asked into writes that name exactly what they mean.
//
// It knows the vocabulary (cloudprovider) and the node-group file (config), and
// nothing else of buildpool: no SDK, no gRPC, no wall clock, no environment.
//
// The state of a group changes only through the pure functions of groupState;
// Provider owns the states, reads the cloud and carries the writes out.
package nodegroups
