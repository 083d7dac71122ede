package config

import (
	"fmt"
	"time"
)

// NodeCleanup says whether Node objects are deleted whose instance is gone, which is a
// cloud-controller-manager's work where there is one.
type NodeCleanup struct {
	// Enabled: Node objects of our groups' instances that are gone are deleted. Default:
	// false.
	Enabled bool `json:"enabled,omitempty"`
	// After is how long a node must have been not Ready, 30s to 30m. Default: 2m.
	After *Duration `json:"after,omitempty"`
}

// The bounds of nodeCleanup.after: a kubelet that hangs for a moment is not gone, and
// that an instance was ours is remembered for an hour.
const (
	leastCleanup = 30 * time.Second
	mostCleanup  = 30 * time.Minute
)

func nodeCleanupWithDefaults(c NodeCleanup) NodeCleanup {
	c.After = or(c.After, duration(2*time.Minute))
	return c
}

func (d *decoder) checkNodeCleanup(c NodeCleanup) {
	const at = "nodeCleanup.after"
	if !d.sound(at) {
		return
	}
	if after := time.Duration(*c.After); after < leastCleanup || after > mostCleanup {
		d.complain(at, fmt.Sprintf("%v is not within %v and %v", after, leastCleanup, mostCleanup), `write a time such as "2m"`)
	}
}
