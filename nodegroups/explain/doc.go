// Package explain says why a build waits, and how a node group fares: pure functions
// from what is known (a pod, the groups and their templates, the cluster's nodes and
// pods) to reasons in plain sentences.
//
// It knows the vocabulary, and no cloud, no gRPC, no clock. What it cannot know it does
// not guess: the scheduler's and cluster-autoscaler's own words are passed on.
package explain
