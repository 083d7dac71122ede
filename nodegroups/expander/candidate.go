package expander

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// candidate is an option of one of our groups while it is being ranked.
type candidate struct {
	cloudprovider.RankedOption
	option cloudprovider.ExpansionOption
	group  Group
	// lostBuild is what a lost build costs.
	lostBuild *config.Duration
}

// judge finds the candidate's tier and what speaks against it.
func (c *candidate) judge(policy config.Expander, now time.Time) {
	tier, place := tierOf(policy.Tiers, c.group.Class)
	c.Tier = place
	if tier.OnlyForGPUPods && c.withoutGPUPod() {
		c.Skips = append(c.Skips, cloudprovider.Skip{Reason: cloudprovider.SkippedNoGPUPod})
	}
	if c.group.Inactive {
		c.Skips = append(c.Skips, cloudprovider.Skip{Reason: cloudprovider.SkippedInactive})
	}
	c.Skips = append(c.Skips, c.group.Recent(policy.SkipFor, now)...)
	if c.lostBuild = policy.LostBuild; c.group.LosesMore(c.lostBuild) {
		c.Skips = append(c.Skips, cloudprovider.Skip{Reason: cloudprovider.SkippedReclaimedOften})
	}
}

// withoutGPUPod reports whether it is certain that no pod asks for a GPU. Where the
// pods are not known, the GPU group's place in the tiers has to do.
func (c *candidate) withoutGPUPod() bool {
	demand, err := c.option.Demand()
	return err == nil && demand.Pods > 0 && !demand.GPU
}

// tierOf returns the class's tier and its place, from 1. A class without a tier comes
// after all others.
func tierOf(tiers []config.Tier, class config.Class) (tier config.Tier, place int) {
	for i, t := range tiers {
		if slices.Contains(t.Classes, class) {
			return t, i + 1
		}
	}
	return config.Tier{}, len(tiers) + 1
}

// order compares two candidates: negative if the first is better.
type order func(a, b candidate) int

// inOrder asks one order after the other until one tells the two apart.
func inOrder(orders ...order) order {
	return func(a, b candidate) int {
		for _, o := range orders {
			if n := o(a, b); n != 0 {
				return n
			}
		}
		return 0
	}
}

func byTier(a, b candidate) int     { return cmp.Compare(a.Tier, b.Tier) }
func byPriority(a, b candidate) int { return cmp.Compare(b.Priority, a.Priority) }
func byWaste(a, b candidate) int    { return knownFirst(a.Waste, b.Waste) }
func byPrice(a, b candidate) int    { return knownFirst(a.PricePerPod, b.PricePerPod) }
func byName(a, b candidate) int     { return strings.Compare(a.GroupID, b.GroupID) }

// byPlace compares by what the configuration alone decides.
var byPlace = inOrder(byTier, byPriority)

// byBadness compares skipped groups: the worst reason against each, then which is
// forgotten first, then their places.
func byBadness(a, b candidate) int {
	return cmp.Or(
		cmp.Compare(severity(a.Skips[0].Reason), severity(b.Skips[0].Reason)),
		a.Skips[0].Until.Compare(b.Skips[0].Until),
		byPlace(a, b),
	)
}

// knownFirst compares two figures; one that is not known comes last.
func knownFirst(a, b *float64) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

// rank sorts the candidates, best first. Waste and price cost a look at every pod,
// so they are worked out only for those that are first in the given order and not
// alone there.
func rank(candidates []candidate, first order) {
	slices.SortFunc(candidates, inOrder(first, byName))
	tied := 0
	for tied < len(candidates) && first(candidates[0], candidates[tied]) == 0 {
		tied++
	}
	if tied < 2 {
		return
	}
	for i := range candidates[:tied] {
		candidates[i].weigh()
	}
	slices.SortFunc(candidates[:tied], inOrder(byWaste, byPrice, byName))
}

// difference names what set the best candidate apart from the next.
func difference(best, next candidate) cloudprovider.ChoiceReason {
	switch {
	case byTier(best, next) != 0:
		return cloudprovider.ChosenTier
	case byPriority(best, next) != 0:
		return cloudprovider.ChosenPriority
	case byWaste(best, next) != 0:
		return cloudprovider.ChosenLeastWaste
	case byPrice(best, next) != 0:
		return cloudprovider.ChosenPrice
	}
	return cloudprovider.ChosenName
}

// weigh works out the candidate's waste and price.
func (c *candidate) weigh() {
	demand, err := c.option.Demand()
	if err != nil || demand.Pods == 0 || c.NodeCount < 1 {
		return
	}
	offer, told := c.option.Node()
	if !told && c.group.Template != nil {
		offer, told = *c.group.Template, true
	}
	if told && offer.MilliCPU > 0 && offer.MemoryBytes > 0 {
		waste := rounded(unused(demand.MilliCPU, offer.MilliCPU, c.NodeCount) + unused(demand.MemoryBytes, offer.MemoryBytes, c.NodeCount))
		c.Waste = &waste
	}
	if c.group.PricePerHour != nil {
		price := rounded(c.group.costPerHour(c.lostBuild) * float64(c.NodeCount) / float64(demand.Pods))
		c.PricePerPod = &price
	}
}

// unused is the share of what the nodes offer that the pods would leave. It is
// negative if the pods ask for more, which CA would not have proposed.
func unused(asked, offered int64, nodes int) float64 {
	total := float64(offered) * float64(nodes)
	return (total - float64(asked)) / total
}

// rounded drops what lies beyond six decimals: two groups of one shape must come out
// equal whatever the last bits of a division are.
func rounded(f float64) float64 { return math.Round(f*1e6) / 1e6 }
