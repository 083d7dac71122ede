// Package e2e holds the end-to-end tests: the real etcd, kube-apiserver,
// kube-scheduler, kube-controller-manager and cluster-autoscaler, with kwok for
// kubelets, drive `buildpool serve` over the simulated account of `buildpool
// ess-sim`, every one of them a process of its own.
//
// It must not know buildpool's packages: it sees what a user sees, the binary, its
// flags and files, gRPC, and the cluster.
package e2e
