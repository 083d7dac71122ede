package engine

import (
	"slices"
	"time"
)

// Point is one step of the timeline.
type Point struct {
	At time.Duration
	// Reading at that instant.
	Reading
	// Least and Most that there was of each figure from then until the next point. What
	// came and went at one instant does not count.
	Least, Most Reading
}

// Reading is what there is at an instant.
type Reading struct {
	// Pending builds that have no node, and Running builds; by class in the order of
	// Settings.Classes().
	Pending, Running []int32
	// AllPending and AllRunning are those of all classes.
	AllPending, AllRunning int32
	// AllBilled nodes of all groups.
	AllBilled int32
	Groups    []GroupReading
	// Virtual counts the pods on the virtual node.
	Virtual int32
}

// GroupReading is what there is of a group at an instant.
type GroupReading struct {
	// Min as cluster-autoscaler sees it, Target, nodes billed, Ready, and with a build
	// on them.
	Min, Target, Billed, Ready, Busy int32
	// MilliCPU that builds request, of what Ready nodes offer.
	UsedMilliCPU, ReadyMilliCPU int64
}

// Steady is a point of a step in which nothing changed.
func Steady(at time.Duration, r Reading) Point {
	return Point{At: at, Reading: r, Least: r.clone(), Most: r.clone()}
}

func (r Reading) clone() Reading {
	r.Pending, r.Running, r.Groups = slices.Clone(r.Pending), slices.Clone(r.Running), slices.Clone(r.Groups)
	return r
}

// Holds widens the point to what there was for a time.
func (p *Point) Holds(now *Reading) {
	least, most := &p.Least, &p.Most
	for c := range now.Pending {
		widen(&least.Pending[c], &most.Pending[c], now.Pending[c])
		widen(&least.Running[c], &most.Running[c], now.Running[c])
	}
	widen(&least.AllPending, &most.AllPending, now.AllPending)
	widen(&least.AllRunning, &most.AllRunning, now.AllRunning)
	widen(&least.AllBilled, &most.AllBilled, now.AllBilled)
	widen(&least.Virtual, &most.Virtual, now.Virtual)
	for g := range now.Groups {
		least, most, now := &least.Groups[g], &most.Groups[g], &now.Groups[g]
		widen(&least.Min, &most.Min, now.Min)
		widen(&least.Target, &most.Target, now.Target)
		widen(&least.Billed, &most.Billed, now.Billed)
		widen(&least.Ready, &most.Ready, now.Ready)
		widen(&least.Busy, &most.Busy, now.Busy)
		widen(&least.UsedMilliCPU, &most.UsedMilliCPU, now.UsedMilliCPU)
		widen(&least.ReadyMilliCPU, &most.ReadyMilliCPU, now.ReadyMilliCPU)
	}
}

func widen[N int32 | int64](least, most *N, value N) {
	*least, *most = min(*least, value), max(*most, value)
}
