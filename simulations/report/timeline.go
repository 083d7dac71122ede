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
	inRange := func(value func(engine.Point) int32) Range { return bucketed(points, size, value) }
	t.Pending = inRange(func(p engine.Point) int32 { return sum(p.Pending) })
	t.Running = inRange(func(p engine.Point) int32 { return sum(p.Running) })
	t.Nodes = inRange(billed)
	if settings.Overflow != nil {
		virtual := inRange(func(p engine.Point) int32 { return p.Virtual })
		t.Virtual = &virtual
	}
	for n, class := range classes {
		t.Classes = append(t.Classes, ClassTimeline{
			Class:   class,
			Pending: inRange(func(p engine.Point) int32 { return p.Pending[n] }),
			Running: inRange(func(p engine.Point) int32 { return p.Running[n] }),
		})
	}
	for n, g := range settings.Groups {
		t.Groups = append(t.Groups, GroupTimeline{
			Name:   g.Config.Name,
			Min:    inRange(func(p engine.Point) int32 { return p.Groups[n].Min }),
			Target: inRange(func(p engine.Point) int32 { return p.Groups[n].Target }),
			Billed: inRange(func(p engine.Point) int32 { return p.Groups[n].Billed }),
			Ready:  inRange(func(p engine.Point) int32 { return p.Groups[n].Ready }),
			Busy:   inRange(func(p engine.Point) int32 { return p.Groups[n].Busy }),
		})
	}
	return t
}

// bucketed takes the least and the most of every size points.
func bucketed(points []engine.Point, size int, value func(engine.Point) int32) Range {
	buckets := (len(points) + size - 1) / size
	r := Range{Low: make([]int32, buckets), High: make([]int32, buckets)}
	for n, p := range points {
		v, at := value(p), n/size
		if n%size == 0 {
			r.Low[at], r.High[at] = v, v
			continue
		}
		r.Low[at], r.High[at] = min(r.Low[at], v), max(r.High[at], v)
	}
	return r
}

func billed(p engine.Point) (nodes int32) {
	for _, g := range p.Groups {
		nodes += g.Billed
	}
	return nodes
}

func sum(values []int32) (total int32) {
	for _, v := range values {
		total += v
	}
	return total
}
