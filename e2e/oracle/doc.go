// Package oracle runs the real cluster-autoscaler core in virtual time, so that the
// capacity simulator can be held against it: the same settings in, the same kind of
// result out.
//
// What is real: cluster-autoscaler's core, built by its own builder from its own
// flags' defaults; upstream's externalgrpc client; our gRPC server, provider, door
// to ESS and the SDK; the simulated account. What is a model, and written without a
// look at the engine's: kube-scheduler (scheduler.go), kubelet (kubelet.go) and the
// spot market (market.go).
//
// Everything happens inside a testing/synctest bubble, whose clock all of them read.
package oracle
