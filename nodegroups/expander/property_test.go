package expander_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

// question is a policy, its groups, and options of ours and of others.
type question struct {
	policy  config.Expander
	groups  groups
	options options
	foreign int
}

func (q question) choose() cloudprovider.Expansion {
	return expander.Choose(q.policy, q.groups, q.options, now)
}

// mayFit reports whether the group may serve the option's pods at all.
func (q question) mayFit(o cloudprovider.ExpansionOption) bool {
	g, ours := q.groups[o.GroupID]
	d, err := o.Demand()
	return !ours || g.Class != config.ClassGPU || err != nil || d.Pods == 0 || d.GPU
}

func drawQuestion(t *rapid.T) question {
	q := question{policy: config.DefaultExpander(), groups: groups{}}
	if rapid.Bool().Draw(t, "veto") {
		q.policy.WhenAllSkipped = config.Veto
	}
	for n := range rapid.IntRange(1, 8).Draw(t, "options") {
		id := fmt.Sprintf("g%d", n)
		q.options = append(q.options, drawOption(t, id))
		if rapid.IntRange(0, 5).Draw(t, "foreign") == 0 {
			q.foreign++
		} else {
			q.groups[id] = drawGroup(t)
		}
	}
	return q
}

func drawOption(t *rapid.T, id string) cloudprovider.ExpansionOption {
	if rapid.IntRange(0, 9).Draw(t, "unreadable") == 0 {
		return unreadable(id)
	}
	demand := builds(rapid.IntRange(0, 5).Draw(t, "pods"))
	demand.GPU = demand.Pods > 0 && rapid.IntRange(0, 3).Draw(t, "gpu") == 0
	// Few figures, so that ties are frequent.
	o := option(id, rapid.IntRange(1, 3).Draw(t, "nodes"), demand)
	if rapid.IntRange(0, 4).Draw(t, "untold") == 0 {
		o.Node = func() (cloudprovider.NodeOffer, bool) { return cloudprovider.NodeOffer{}, false }
	}
	return o
}

func drawGroup(t *rapid.T) expander.Group {
	g := expander.Group{
		Class:    rapid.SampledFrom([]config.Class{config.ClassSpot, config.ClassNormal, config.ClassGPU}).Draw(t, "class"),
		Priority: rapid.IntRange(-1, 1).Draw(t, "priority"),
		Inactive: rapid.IntRange(0, 9).Draw(t, "inactive") == 0,
	}
	for _, incident := range []*expander.Incident{&g.Health.OutOfStock, &g.Health.Failed, &g.Health.Reclaimed, &g.Health.Throttled} {
		if rapid.IntRange(0, 4).Draw(t, "trouble") == 0 {
			incident.At = ago(time.Duration(rapid.IntRange(0, 11).Draw(t, "minutes")) * time.Minute)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "reclaims") == 0 {
		g.ReclaimsPerHour, g.SpotShare = float64(rapid.IntRange(0, 4).Draw(t, "perHour"))/16, 0.5
	}
	if rapid.Bool().Draw(t, "priced") {
		g.PricePerHour = price(float64(rapid.IntRange(1, 3).Draw(t, "price")))
	}
	return g
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		x := q.choose()
		asked := map[string]cloudprovider.ExpansionOption{}
		for _, o := range q.options {
			asked[o.GroupID] = o
		}

		for _, id := range x.Best {
			assert.Contains(t, asked, id, "a choice CA did not offer")
		}
		if q.policy.WhenAllSkipped != config.Veto || q.foreign > 0 {
			assert.NotEmpty(t, x.Best, "an empty list is a veto")
		}
		assert.Len(t, x.Ranked, len(q.options), "every option has a place")
		assert.Equal(t, x, q.choose(), "the same question has one answer")

		skips := map[string][]cloudprovider.Skip{}
		for _, r := range x.Ranked {
			skips[r.GroupID] = r.Skips
		}
		anyFits, anyHealthy := false, false
		for _, o := range q.options {
			anyFits = anyFits || q.mayFit(o)
			anyHealthy = anyHealthy || len(skips[o.GroupID]) == 0
		}
		for _, id := range x.Best {
			assert.True(t, !anyFits || q.mayFit(asked[id]), "a GPU group for builds without GPU, and another fits")
			assert.True(t, !anyHealthy || len(skips[id]) == 0, "a skipped group, and another is healthy")
		}
	})
}

func TestOrderOfTheOptionsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		before := q.choose()
		q.options = rapid.Permutation(q.options).Draw(t, "permuted")
		after := q.choose()

		assert.Equal(t, before.Reason, after.Reason)
		assert.ElementsMatch(t, before.Best, after.Best)
		ours := func(x cloudprovider.Expansion) []cloudprovider.RankedOption {
			return slices.DeleteFunc(slices.Clone(x.Ranked), func(r cloudprovider.RankedOption) bool { return r.Foreign })
		}
		assert.Equal(t, ours(before), ours(after))
		if before.Reason != cloudprovider.ChosenForeign {
			assert.Equal(t, before.Best, after.Best)
		}
	})
}

// TestAnotherOptionNeverMakesAWorseChoice: adding an option changes the choice to the
// new one, or not at all.
func TestAnotherOptionNeverMakesAWorseChoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		before := q.choose()
		more := q
		more.options = append(slices.Clip(q.options), drawOption(t, "new"))
		more.groups = groups{"new": drawGroup(t)}
		for id, g := range q.groups {
			more.groups[id] = g
		}
		after := more.choose()
		if len(before.Best) == 0 || before.Reason == cloudprovider.ChosenForeign {
			return
		}
		if after.Best[0] != "new" {
			assert.Equal(t, before.Best, after.Best)
		}
	})
}
