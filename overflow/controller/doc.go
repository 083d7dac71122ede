// Package controller moves builds to a virtual node: round by round it looks at the pods
// that wait, lets overflow decide, and adds the toleration to those that move.
//
// It is stateless: what it needs is in the cluster and in what the node groups are, so
// that a restart forgets nothing but what has been told already. It knows no client and
// no gRPC; time is an argument.
package controller
