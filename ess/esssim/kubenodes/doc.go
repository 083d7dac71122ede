// Package kubenodes lets the instances of a simulated account join a Kubernetes
// cluster: each one that has been in service for the join delay registers as a
// Node, and the Node goes when the instance is gone, as a cloud-controller-manager
// would have it. What such a node runs is the matter of kwok, for which it is
// annotated.
//
// A node gets its labels, taints and reservations from the kubelet flags in the
// user data it was launched with and its size from its instance type, worked out
// here as a kubelet does. It must not use buildpool's own node templates: a test
// that compares the two would compare a thing with itself.
package kubenodes
