package config

import (
	"fmt"
	"time"
)

// Expander is how the gRPC expander chooses the group that grows.
type Expander struct {
	// Tiers are tried in order: a group of a later tier is chosen only if every group
	// of the earlier ones is skipped or cannot take the builds. Classes that no tier
	// names come last. Default: spot, then normal, then gpu for GPU builds only.
	Tiers []Tier `json:"tiers,omitempty"`
	// SkipFor is how long a group is passed over after something went wrong.
	SkipFor SkipFor `json:"skipFor,omitempty"`
	// LostBuild is what a build that ends with its node is taken to cost, as time of an
	// on-demand node of the group: what it had done, the wait for another node, and those
	// who wait for it; up to 168h. A spot group costs so much more as its instances are
	// taken back more often, and is skipped where that is more than spot saves. 0s: how
	// often they are does not count. Default: 4h.
	LostBuild *Duration `json:"lostBuild,omitempty"`
	// WhenAllSkipped: least-bad still chooses a group, veto stops the scale-up until
	// cluster-autoscaler asks again. Default: least-bad.
	WhenAllSkipped WhenAllSkipped `json:"whenAllSkipped,omitempty"`
}

// Tier is a set of classes that are as good as each other.
type Tier struct {
	// Classes of the groups in this tier.
	Classes []Class `json:"classes"`
	// OnlyForGPUPods skips the tier's groups unless a build asks for a GPU.
	OnlyForGPUPods bool `json:"onlyForGPUPods,omitempty"`
}

// SkipFor is how long a group is passed over, by what went wrong; 0s: not at all.
type SkipFor struct {
	// OutOfStock: the cloud or the account's quota had no instance to give. Default: 5m.
	OutOfStock *Duration `json:"outOfStock,omitempty"`
	// Reclaimed: the cloud took a spot instance back. Default: 10m.
	Reclaimed *Duration `json:"reclaimed,omitempty"`
	// Throttled: a scale-up met the account's rate limit. Default: 1m.
	Throttled *Duration `json:"throttled,omitempty"`
	// Failed: an instance could not be created for another reason. A group's own
	// cooldown.afterFailure wins. Default: 5m.
	Failed *Duration `json:"failed,omitempty"`
}

// WhenAllSkipped says what the expander answers when every group is skipped.
type WhenAllSkipped string

// The values of expander.whenAllSkipped.
const (
	LeastBad WhenAllSkipped = "least-bad"
	Veto     WhenAllSkipped = "veto"
)

// DefaultExpander is the expander of a file that does not say otherwise.
func DefaultExpander() Expander { return expanderWithDefaults(Expander{}) }

// expanderWithDefaults fills in what the file leaves out: a tier for every class,
// every duration, and the answer when all are skipped.
func expanderWithDefaults(e Expander) Expander {
	tiers := []Tier{}
	tiered := map[Class]bool{}
	for _, t := range e.Tiers {
		tiers = append(tiers, t)
		for _, c := range t.Classes {
			tiered[c] = true
		}
	}
	for _, c := range []Class{ClassSpot, ClassNormal, ClassGPU} {
		if !tiered[c] {
			tiers = append(tiers, Tier{Classes: []Class{c}, OnlyForGPUPods: c == ClassGPU})
		}
	}
	e.Tiers = tiers
	e.LostBuild = or(e.LostBuild, duration(4*time.Hour))
	e.SkipFor = SkipFor{
		OutOfStock: or(e.SkipFor.OutOfStock, duration(5*time.Minute)),
		Reclaimed:  or(e.SkipFor.Reclaimed, duration(10*time.Minute)),
		Throttled:  or(e.SkipFor.Throttled, duration(time.Minute)),
		Failed:     or(e.SkipFor.Failed, duration(5*time.Minute)),
	}
	if e.WhenAllSkipped == "" {
		e.WhenAllSkipped = LeastBad
	}
	return e
}

func duration(d time.Duration) *Duration {
	v := Duration(d)
	return &v
}

// mostLost is the most that a lost build may cost: a week.
const mostLost = 7 * 24 * time.Hour

// checkExpander complains of tiers that cannot be told apart.
func (d *decoder) checkExpander(e Expander) {
	if at := "expander.lostBuild"; d.sound(at) && e.LostBuild != nil && time.Duration(*e.LostBuild) > mostLost {
		d.complain(at, fmt.Sprintf("%v is more than %v", time.Duration(*e.LostBuild), mostLost), `write what a lost build costs as time of a node, such as "4h"`)
	}
	if d.sound("expander.tiers") && len(e.Tiers) == 0 {
		d.complain("expander.tiers", "the list is empty", "name at least one tier, or remove the key")
	}
	tiered := map[Class]string{}
	for i, t := range e.Tiers {
		path := itemPath("expander.tiers", i)
		at := path + ".classes"
		if !d.sound(at) {
			continue
		}
		if len(t.Classes) == 0 {
			d.complain(at, "the list is empty", "name the tier's classes: normal, gpu, spot")
		}
		for n, c := range t.Classes {
			class := itemPath(at, n)
			if !d.sound(class) {
				continue
			}
			if first, twice := tiered[c]; twice {
				d.complain(class, fmt.Sprintf("the class %s is in %s already", c, first), "name each class once")
				continue
			}
			tiered[c] = path
		}
	}
}
