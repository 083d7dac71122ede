package workload

import "time"

// Trace is a history of builds.
type Trace struct {
	// Start is the instant that arrivals count from, in the location in which the
	// hours of a day are told.
	Start time.Time
	// Shapes are the kinds of build that occur; builds refer to them by index, because
	// millions of builds share a few dozen shapes.
	Shapes []Shape
	// Builds are in order of arrival; builds that arrive at one instant keep the order
	// of their source.
	Builds []Build
}

// Build is one run of a shape.
type Build struct {
	// Arrival is when the build's pod is created, after the trace's start.
	Arrival time.Duration
	// Duration is how long the build runs once its containers have started.
	Duration time.Duration
	// Wait is how long it really waited, for comparison; negative: not known.
	Wait time.Duration
	// Shape is an index into Trace.Shapes.
	Shape int32
}

// UnknownWait is the Wait of a build whose real wait was not observed.
const UnknownWait time.Duration = -1

// Shape is what builds have in common: everything but their times. Shapes of one
// trace differ in at least one field.
type Shape struct {
	// Job names the kind of build, such as a Jenkins job; it may be empty.
	Job string
	// Classes are the node-group classes whose nodes may run it, in no order of
	// preference: that is the expander's. At least one.
	Classes []string
	// MilliCPU, MemoryBytes and GPUs are the pod's requests, all containers together.
	MilliCPU, MemoryBytes, GPUs int64
	// Labels are node labels that it needs beside its class (the pod's node selector).
	Labels map[string]string
	// Image is what a node has to pull before its first build of the kind; empty:
	// nothing that counts.
	Image string
}
