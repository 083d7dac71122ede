// Package dialect reads and writes the wire dialects of cluster-autoscaler (CA)
// 1.25 to 1.37. All of them speak of the same services, but the releases moved
// fields to new numbers as they gave up Kubernetes' own types in protobuf:
//
//	CA               template  options' durations  times of a price  pod of a price  expander's pods, nodes
//	1.25 – 1.28      1         3 4                 2 3               1               4, 2
//	1.29 – 1.34.1    1         3 4 5               2 3               1               4, 2
//	1.34.2 – 1.34.x  1 2       3 4 5, 8 9 10       both              1 4             both
//	1.35 and later   2         8 9 10              4 5, or 5 6       4               5, 3
//
// The messages are upstream's newest. No number was ever used for two things, so the
// old fields travel as unknown fields: a reader takes the new field if it is there and
// else looks among the unknown ones, a writer fills both.
//
// The package must not know what an answer means, the provider, or a connection.
package dialect
