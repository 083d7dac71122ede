// Package cluster is what buildpool sees of and does to Kubernetes, through client-go.
// Today that is one thing: which of several replicas leads, and by which mark a Service
// finds it.
//
// It knows nothing of node groups, clouds or gRPC, and reads no environment.
package cluster
