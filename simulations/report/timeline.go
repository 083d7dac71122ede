package report

import (
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

const (
	defaultTimelinePoints = 1000
	// maxTimelineNumbers bounds a timeline of many groups, so that the page stays
	// below 2 MB whatever the run.
	maxTimelineNumbers = 200_000
)

// Timeline is the state of the run over time, in buckets of equal length.
type Timeline struct {
	// BucketSeconds is the length of a bucket; the first begins at 0.
	BucketSeconds float64 `json:"bucketSeconds"`
	// Classes are the builds, by the group class that they count under.
	Classes []ClassTimeline `json:"classes"`
	// Pending builds of all classes.
	Pending Range `json:"pending"`
	// Running builds of all classes.
	Running Range `json:"running"`
	// Nodes of all groups that are billed.
	Nodes Range `json:"nodes"`
	// Virtual are the pods on the virtual node; left out where there is none.
	Virtual *Range `json:"virtual,omitempty"`
	// Groups in the order of the settings.
	Groups []GroupTimeline `json:"groups"`
}

// Range is a figure over time: the least and the most of each bucket.
type Range struct {
	// Low is the least of each bucket.
	Low []int32 `json:"low"`
	// High is the most of each bucket.
	High []int32 `json:"high"`
}

// ClassTimeline are the builds of a class over time.
type ClassTimeline struct {
	// Class of node groups.
	Class string `json:"class"`
	// Pending builds.
	Pending Range `json:"pending"`
	// Running builds.
	Running Range `json:"running"`
}

// GroupTimeline is a node group over time.
type GroupTimeline struct {
	// Name of the group.
	Name string `json:"name"`
	// Min size as cluster-autoscaler saw it.
	Min Range `json:"min"`
	// Target size.
	Target Range `json:"target"`
	// Billed nodes.
	Billed Range `json:"billed"`
	// Ready nodes.
	Ready Range `json:"ready"`
	// Busy nodes: with at least one build.
	Busy Range `json:"busy"`
}

// summarizeTimeline returns nil for a run without a timeline.
func summarizeTimeline(settings engine.Settings, points []engine.Point, most int) *Timeline {
	if len(points) == 0 {
		return nil
	}
	if most <= 0 {
		most = defaultTimelinePoints
	}
	classes := settings.Classes()
	perPoint := 2 * (3 + 2*len(classes) + 5*len(settings.Groups))
	most = min(most, max(maxTimelineNumbers/perPoint, 100))
	size := (len(points) + most - 1) / most
	t := &Timeline{BucketSeconds: seconds(settings.TimelineStep * time.Duration(size)), Classes: []ClassTimeline{}, Groups: []GroupTimeline{}}
	inRange := func(value func(engine.Reading) int32) Range { return bucketed(points, size, value) }
	t.Pending = inRange(func(r engine.Reading) int32 { return r.AllPending })
	t.Running = inRange(func(r engine.Reading) int32 { return r.AllRunning })
	t.Nodes = inRange(func(r engine.Reading) int32 { return r.AllBilled })
	if settings.Overflow != nil {
		virtual := inRange(func(r engine.Reading) int32 { return r.Virtual })
		t.Virtual = &virtual
	}
	for n, class := range classes {
		t.Classes = append(t.Classes, ClassTimeline{
			Class:   class,
			Pending: inRange(func(r engine.Reading) int32 { return r.Pending[n] }),
			Running: inRange(func(r engine.Reading) int32 { return r.Running[n] }),
		})
	}
	for n, g := range settings.Groups {
		t.Groups = append(t.Groups, GroupTimeline{
			Name:   g.Config.Name,
			Min:    inRange(func(r engine.Reading) int32 { return r.Groups[n].Min }),
			Target: inRange(func(r engine.Reading) int32 { return r.Groups[n].Target }),
			Billed: inRange(func(r engine.Reading) int32 { return r.Groups[n].Billed }),
			Ready:  inRange(func(r engine.Reading) int32 { return r.Groups[n].Ready }),
			Busy:   inRange(func(r engine.Reading) int32 { return r.Groups[n].Busy }),
		})
	}
	return t
}

// bucketed takes the least and the most of every size points.
func bucketed(points []engine.Point, size int, value func(engine.Reading) int32) Range {
	buckets := (len(points) + size - 1) / size
	r := Range{Low: make([]int32, buckets), High: make([]int32, buckets)}
	for n, p := range points {
		low, high, at := value(p.Least), value(p.Most), n/size
		if n%size == 0 {
			r.Low[at], r.High[at] = low, high
			continue
		}
		r.Low[at], r.High[at] = min(r.Low[at], low), max(r.High[at], high)
	}
	return r
}
