// Package cluster is what buildpool sees of and does to Kubernetes, through client-go:
// the pods and nodes as they are now (Cache), what is done to nodes (Nodes), what keeps
// spare room (Headroom), which of several replicas leads (Election), and by which mark a
// Service finds it (Mark).
//
// It knows nothing of node groups, clouds or gRPC, and reads no environment.
package cluster
