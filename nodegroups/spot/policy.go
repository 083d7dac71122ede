package spot

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
)

// Protection is how long after its creation the market leaves a spot instance alone.
const Protection = time.Hour

// Notice is how long before its end an instance is announced to be taken back.
const Notice = 5 * time.Minute

// Reason says why a node is closed to new builds.
type Reason string

// The reasons. They stand in an annotation of the node.
const (
	// Noticed: the cloud has announced to take the instance back.
	Noticed Reason = "reclaim-notice"
	// Aged: the instance is near the end of its protection (spot.drainAfter).
	Aged Reason = "drain-after"
)

// Instance is what is known of a spot instance.
type Instance struct {
	Created time.Time
	// Noticed is when the notice was first seen; zero: there is none.
	Noticed time.Time
}

// Closed returns why the instance's node is to take no new build now, and since when;
// the reason is empty if it may. Nothing is said of the builds that run there: they go on
// either way.
func Closed(s config.Spot, i Instance, now time.Time) (why Reason, since time.Time) {
	if s.OnReclaimNotice != config.ReclaimIgnored && !i.Noticed.IsZero() {
		return Noticed, i.Noticed
	}
	if Drains(s.DrainAfter, now.Sub(i.Created)) && !i.Created.IsZero() {
		return Aged, i.Created.Add(time.Duration(*s.DrainAfter))
	}
	return "", time.Time{}
}

// Drains reports whether a spot instance of this age takes no new builds.
func Drains(after *config.Duration, age time.Duration) bool {
	return after != nil && age >= time.Duration(*after)
}

// Demand is who may need an instance in the place of one that is about to go.
type Demand struct {
	// Unknown: the cluster cannot be seen, so that the rest says nothing.
	Unknown bool
	// Running are the builds on the instance's node, Waiting those that wait and that the
	// group could take.
	Running, Waiting int
	// Target is the group's, Floor the least it is to have now.
	Target, Floor int
}

// Need is why an instance is replaced ahead, or that it is not.
type Need string

// The needs, as parts of a sentence.
const (
	NotNeeded      Need = ""
	NeededUnknown  Need = "what runs there cannot be seen"
	NeededRunning  Need = "a build runs on it"
	NeededWaiting  Need = "builds wait"
	NeededForFloor Need = "the group is at its min"
)

// Replacement decides whether an instance with a notice is replaced before it is gone. A
// build that runs on it will most likely be tried again, and needs a place then.
func (d Demand) Replacement() Need {
	switch {
	case d.Target <= d.Floor && d.Target > 0:
		return NeededForFloor
	case d.Unknown:
		return NeededUnknown
	case d.Running > 0:
		return NeededRunning
	case d.Waiting > 0:
		return NeededWaiting
	}
	return NotNeeded
}
