// Package spot decides what becomes of instances that the cloud may take back: when a
// node is closed to new builds, whether an instance with a notice is replaced ahead, and
// how often the market takes instances of a kind.
//
// It must not know clouds, clusters, gRPC or a clock: facts and times are arguments.
package spot
