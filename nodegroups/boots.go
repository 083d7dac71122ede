package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// bootsKept is how many boots of a kind a group's measure is made of: an afternoon's
// worth.
const bootsKept = 20

// boots are how long a group's latest nodes took until CA showed us their node, by the
// kind of their start. Like groupState it is a value.
type boots struct {
	// created is from the instance's creation, started from the start of one that had
	// been stopped.
	created, started durations
	// measured are the listed instances whose life is in one of them, or cannot be
	// measured, with when that life began.
	measured map[string]time.Time
}

// durations are the latest of a kind, oldest first.
type durations []time.Duration

// typical is the time within which four of five nodes were there; 0 before any was.
func (d durations) typical() time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)*4/5]
}

func (d durations) with(took time.Duration) durations {
	return append(slices.Clone(d[max(0, len(d)-bootsKept+1):]), took)
}

// next is how long the group's next node takes: stopped instances are started first.
func (b boots) next(g cloudprovider.ScalingGroup) time.Duration {
	if started := b.started.typical(); started > 0 && g.Counters.Stopped > 0 {
		return started
	}
	return b.created.typical()
}

// measure notes the instances whose node CA has shown us for the first time in their
// present life. Lives that began before since tell nothing.
func (b boots) measure(s groupState, instances []cloudprovider.Instance, firstSeen func(id string) (time.Time, bool), since time.Time) boots {
	measured := make(map[string]time.Time, len(instances))
	for _, i := range instances {
		began := s.began(i)
		if at, done := b.measured[i.ID]; done && at.Equal(began) {
			measured[i.ID] = at
			continue
		}
		seen, ok := firstSeen(i.ID)
		if !ok {
			continue
		}
		measured[i.ID] = began
		took := seen.Sub(began)
		if took <= 0 || !began.After(since) {
			continue
		}
		if _, again := s.woken[i.ID]; again {
			b.started = b.started.with(took)
		} else {
			b.created = b.created.with(took)
		}
	}
	b.measured = measured
	return b
}
