package usage

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// afterParting is how long a detached instance runs on: the five minutes of a reclaim
// notice (nodegroups/spot.Notice), because of which instances are let go.
const afterParting = 5 * time.Minute

// beginning is that of an instance that has gone, nobody says when.
type beginning struct {
	id         string
	from, made time.Time
}

// parting is when an instance left its group.
type parting struct {
	beginning
	until time.Time
}

// partings finds the instances that were detached among those that have gone. The cloud
// says how many it detached and not which. One that none can be was there before the
// period, and has a name that no other has.
func (h History) partings(missing []beginning) (parted []parting, lost []beginning) {
	slices.SortFunc(missing, func(a, b beginning) int {
		return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.id, b.id))
	})
	for _, a := range slices.Backward(h.Activities) { // newest first
		if !a.Detaches || a.Ended.IsZero() {
			continue
		}
		for n := range max(0, -a.Requested-len(a.Removed)) {
			at := slices.IndexFunc(missing, func(b beginning) bool { return !b.from.After(a.Started) })
			if at < 0 {
				parted = append(parted, parting{beginning{id: fmt.Sprintf("%s/%d", a.ID, n)}, a.Ended})
				continue
			}
			parted = append(parted, parting{missing[at], a.Ended})
			missing = slices.Delete(missing, at, at+1)
		}
	}
	return parted, missing
}
