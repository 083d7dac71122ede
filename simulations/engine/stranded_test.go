package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

func TestStrandedAreTheBuildsThatTheRunCannotPlace(t *testing.T) {
	fits := workload.Shape{Job: "unit", Classes: []string{"normal"}, MilliCPU: 1000, MemoryBytes: gib}
	large := workload.Shape{Job: "package", Classes: []string{"normal"}, MilliCPU: 64000, MemoryBytes: gib}
	larger := large
	larger.Job, larger.Image = "archive", "builder"
	elsewhere := workload.Shape{Classes: []string{"windows"}, MilliCPU: 1000, MemoryBytes: gib}
	labelled := fits
	labelled.Labels = map[string]string{"disk": "fast"}
	never := fits
	never.Job, never.MilliCPU = "retired", 99000 // no build is of this shape
	trace := workload.Trace{Shapes: []workload.Shape{fits, large, larger, elsewhere, labelled, never}}
	for _, shape := range []int32{0, 1, 2, 3, 4, 1, 0} {
		trace.Builds = append(trace.Builds, workload.Build{Arrival: time.Duration(len(trace.Builds)) * time.Second, Duration: time.Minute, Shape: shape})
	}
	s := settings(trace, normal("a", 0, 4), normal("b", 0, 4))
	assert.Equal(t, []engine.Stranded{
		{Shape: large, Builds: 3, Jobs: []string{"archive", "package"}, TooSmall: []int{0, 1}},
		{Shape: elsewhere, Builds: 1},
		{Shape: labelled, Builds: 1, Jobs: []string{"unit"}},
	}, s.Stranded())
	for i, b := range run(t, s).Builds {
		assert.Equal(t, trace.Builds[i].Shape != 0, b.Cause == engine.Unplaced, "build %d", i)
	}
}
