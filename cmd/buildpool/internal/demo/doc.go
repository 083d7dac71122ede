// Package demo plays an afternoon of builds against a provider over gRPC: what a
// scheduler, kubelets and cluster-autoscaler would do, small enough to read, so that
// everything between the gRPC door and the simulated account is the real thing.
//
// It knows neither the provider's inside nor the wall clock.
package demo
