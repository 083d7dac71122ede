package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// bootsKept is how many boots a group's measure is made of: an afternoon's worth.
const bootsKept = 20

// boots are how long a group's latest nodes took from their creation until CA showed
// us their node. Like groupState it is a value.
type boots struct {
	took []time.Duration
	// measured are the listed instances that are in took, or cannot be measured.
	measured map[string]bool
}

// typical is the time within which four of five nodes were there; 0 before any was.
func (b boots) typical() time.Duration {
	if len(b.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(b.took))
	return sorted[len(sorted)*4/5]
}

// measure notes the instances whose node CA has shown us for the first time. Those
// that are older than we are, or were started again, tell nothing.
func (b boots) measure(instances []cloudprovider.Instance, firstSeen func(id string) (time.Time, bool), since time.Time) boots {
	measured := make(map[string]bool, len(instances))
	for _, i := range instances {
		if b.measured[i.ID] {
			measured[i.ID] = true
			continue
		}
		seen, ok := firstSeen(i.ID)
		if !ok {
			continue
		}
		measured[i.ID] = true
		if took := seen.Sub(i.Created); took > 0 && i.Created.After(since) {
			b.took = append(slices.Clone(b.took[max(0, len(b.took)-bootsKept+1):]), took)
		}
	}
	b.measured = measured
	return b
}
