package config

import (
	"fmt"
	"time"
)

// Spot says what becomes of instances that the cloud may take back. It holds for the
// group's spot instances; others are left alone.
type Spot struct {
	// OnReclaimNotice says what is done when the cloud announces to take an instance
	// back: replace closes its node to new builds, tells its builds, and lets the
	// instance leave the scaling group, so that its replacement is created at once; cordon
	// leaves out the last; ignore does nothing and asks for no notices. Default: replace.
	OnReclaimNotice OnReclaimNotice `json:"onReclaimNotice,omitempty"`
	// DrainAfter is how long after its instance's creation a node takes new builds, 5m to
	// 1h: after an hour the market may take the instance back. Default: for ever.
	DrainAfter *Duration `json:"drainAfter,omitempty"`
}

// OnReclaimNotice says what is done when an instance is to be taken back.
type OnReclaimNotice string

// The values of spot.onReclaimNotice.
const (
	ReclaimReplaced OnReclaimNotice = "replace"
	ReclaimCordoned OnReclaimNotice = "cordon"
	ReclaimIgnored  OnReclaimNotice = "ignore"
)

// The bounds of spot.drainAfter: a node that takes no builds from the start is none, and
// once the first hour is over nothing is left to be early for.
const (
	leastDrain = 5 * time.Minute
	mostDrain  = time.Hour
)

func spotWithDefaults(s, d Spot) Spot {
	if s.OnReclaimNotice == "" {
		s.OnReclaimNotice = d.OnReclaimNotice
	}
	if s.OnReclaimNotice == "" {
		s.OnReclaimNotice = ReclaimReplaced
	}
	s.DrainAfter = or(s.DrainAfter, d.DrainAfter)
	return s
}

func (d *decoder) checkSpot(path string, s Spot) {
	at := path + ".drainAfter"
	if !d.sound(at) || s.DrainAfter == nil {
		return
	}
	if after := time.Duration(*s.DrainAfter); after < leastDrain || after > mostDrain {
		d.complain(at, fmt.Sprintf("%v is not within %v and %v: the market leaves an instance alone for the first hour", after, leastDrain, mostDrain),
			`write how long a node takes new builds, such as "50m", or remove the key`)
	}
}
