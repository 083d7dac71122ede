// Package timeline measures the life of every build: from the moment its pod waits,
// over the node that is asked for, created, joins and becomes Ready, to the build's end
// and the node's.
//
// It is told what changes in the cluster and what the provider knows of instances, and
// tells what it measured. It knows the vocabulary, and no cloud, no Kubernetes client,
// no metric, no wall clock. What happened before it began it does not measure.
package timeline
