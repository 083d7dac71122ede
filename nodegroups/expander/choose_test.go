package expander_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

var now = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

const gib = 1 << 30

// node is what a node of 8 CPUs and 16 GiB offers.
var node = cloudprovider.NodeOffer{MilliCPU: 8000, MemoryBytes: 16 * gib}

// builds are so many pods of 2 CPUs and 4 GiB, a quarter of a node each.
func builds(n int) cloudprovider.PodDemand {
	return cloudprovider.PodDemand{Pods: n, MilliCPU: int64(n) * 2000, MemoryBytes: int64(n) * 4 * gib}
}

func gpuBuilds(n int) cloudprovider.PodDemand {
	d := builds(n)
	d.GPU = true
	return d
}

// option is one of a group that would take the pods on so many nodes.
func option(group string, nodes int, demand cloudprovider.PodDemand) cloudprovider.ExpansionOption {
	return optionOn(group, nodes, demand, node)
}

func optionOn(group string, nodes int, demand cloudprovider.PodDemand, offer cloudprovider.NodeOffer) cloudprovider.ExpansionOption {
	return cloudprovider.ExpansionOption{
		GroupID: group, NodeCount: nodes,
		Demand: func() (cloudprovider.PodDemand, error) { return demand, nil },
		Node:   func() (cloudprovider.NodeOffer, bool) { return offer, true },
	}
}

func unreadable(group string) cloudprovider.ExpansionOption {
	o := option(group, 1, cloudprovider.PodDemand{})
	o.Demand = func() (cloudprovider.PodDemand, error) {
		return cloudprovider.PodDemand{}, errors.New("not a pod")
	}
	return o
}

func price(f float64) *float64 { return &f }

func outOfStock(at time.Time) expander.Health {
	return expander.Health{OutOfStock: expander.Incident{At: at, Code: "OperationDenied.NoStock"}}
}

var (
	spot   = expander.Group{Class: config.ClassSpot}
	normal = expander.Group{Class: config.ClassNormal}
	gpu    = expander.Group{Class: config.ClassGPU}
)

func with(g expander.Group, change func(*expander.Group)) expander.Group {
	change(&g)
	return g
}

func sick(g expander.Group, h expander.Health) expander.Group {
	return with(g, func(g *expander.Group) { g.Health = h })
}

func priority(g expander.Group, n int) expander.Group {
	return with(g, func(g *expander.Group) { g.Priority = n })
}

func costing(g expander.Group, f float64) expander.Group {
	return with(g, func(g *expander.Group) { g.PricePerHour = price(f) })
}

// reclaimed are instances at 30 % of the on-demand price, so many of which are taken back
// in an hour.
func reclaimed(g expander.Group, perHour float64) expander.Group {
	return with(g, func(g *expander.Group) { g.ReclaimsPerHour, g.SpotShare = perHour, 0.3 })
}

type groups map[string]expander.Group

type options []cloudprovider.ExpansionOption

var noStock = outOfStock(ago(time.Minute))

var choices = map[string]struct {
	groups  groups
	options options
	want    string
	reason  cloudprovider.ChoiceReason
}{
	"spot before normal": {
		groups{"s": spot, "n": normal}, options{option("n", 1, builds(4)), option("s", 1, builds(4))},
		"s", cloudprovider.ChosenTier,
	},
	"spot before normal, whatever the waste": {
		groups{"s": spot, "n": normal}, options{option("n", 1, builds(4)), option("s", 9, builds(4))},
		"s", cloudprovider.ChosenTier,
	},
	"normal while spot is out of stock": {
		groups{"s": sick(spot, noStock), "n": normal}, options{option("s", 1, builds(1)), option("n", 1, builds(1))},
		"n", cloudprovider.ChosenHealthy,
	},
	"another spot group before normal": {
		groups{"s": sick(spot, noStock), "s2": spot, "n": normal},
		options{option("n", 1, builds(1)), option("s", 1, builds(1)), option("s2", 1, builds(1))},
		"s2", cloudprovider.ChosenTier,
	},
	"a GPU build gets a GPU": {
		groups{"g": gpu, "n": normal}, options{option("g", 1, gpuBuilds(1))},
		"g", cloudprovider.ChosenOnly,
	},
	"a GPU group is not for other builds": {
		groups{"g": gpu, "n": normal}, options{option("g", 1, builds(1)), option("n", 1, builds(1))},
		"n", cloudprovider.ChosenHealthy,
	},
	"not even when normal is out of stock": {
		groups{"g": gpu, "n": sick(normal, noStock)}, options{option("g", 1, builds(1)), option("n", 1, builds(1))},
		"n", cloudprovider.ChosenLeastBad,
	},
	"but if nothing else fits": {
		groups{"g": gpu}, options{option("g", 1, builds(1))},
		"g", cloudprovider.ChosenLeastBad,
	},
	"a GPU group whose pods are not known may be chosen": {
		groups{"g": gpu}, options{option("g", 1, cloudprovider.PodDemand{})},
		"g", cloudprovider.ChosenOnly,
	},
	"and one whose pods cannot be read": {
		groups{"g": gpu}, options{unreadable("g")},
		"g", cloudprovider.ChosenOnly,
	},
	"priority before waste": {
		groups{"a": normal, "b": priority(normal, 1)}, options{option("a", 1, builds(4)), option("b", 2, builds(4))},
		"b", cloudprovider.ChosenPriority,
	},
	"a negative priority comes last": {
		groups{"a": priority(normal, -1), "b": normal}, options{option("a", 1, builds(4)), option("b", 2, builds(4))},
		"b", cloudprovider.ChosenPriority,
	},
	"the least waste": {
		groups{"a": normal, "b": normal}, options{option("a", 2, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenLeastWaste,
	},
	"the least waste, by the node": {
		groups{"a": normal, "b": normal},
		options{optionOn("a", 1, builds(2), node), optionOn("b", 1, builds(2), cloudprovider.NodeOffer{MilliCPU: 4000, MemoryBytes: 8 * gib})},
		"b", cloudprovider.ChosenLeastWaste,
	},
	"waste before price": {
		groups{"a": costing(normal, 0.1), "b": costing(normal, 9)}, options{option("a", 2, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenLeastWaste,
	},
	"the cheaper": {
		groups{"a": costing(spot, 0.5), "b": costing(spot, 0.4)}, options{option("a", 1, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenPrice,
	},
	"the cheaper by pod": { // both waste half: 2.0/2 against 4.5/4
		groups{"a": costing(normal, 2), "b": costing(normal, 2.25)}, options{option("a", 1, builds(2)), option("b", 2, builds(4))},
		"a", cloudprovider.ChosenPrice,
	},
	"a known price before none": {
		groups{"a": normal, "b": costing(normal, 100)}, options{option("a", 1, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenPrice,
	},
	"a known waste before none": {
		groups{"a": normal, "b": normal}, options{unreadable("a"), option("b", 9, builds(1))},
		"b", cloudprovider.ChosenLeastWaste,
	},
	"the name, all else being equal": {
		groups{"b": normal, "a": normal}, options{option("b", 1, builds(4)), option("a", 1, builds(4))},
		"a", cloudprovider.ChosenName,
	},
	"spot that is taken back now and then": { // 0.3 + 4h × 0.17/h of 1
		groups{"s": reclaimed(spot, 0.17), "n": normal}, options{option("n", 1, builds(4)), option("s", 1, builds(4))},
		"s", cloudprovider.ChosenTier,
	},
	"not spot that loses more builds than it saves": {
		groups{"s": reclaimed(spot, 0.175), "n": normal}, options{option("n", 1, builds(4)), option("s", 1, builds(4))},
		"n", cloudprovider.ChosenHealthy,
	},
	"dearer spot is worth fewer reclaims": {
		groups{"s": with(reclaimed(spot, 0.17), func(g *expander.Group) { g.SpotShare = 0.4 }), "n": normal},
		options{option("n", 1, builds(4)), option("s", 1, builds(4))},
		"n", cloudprovider.ChosenHealthy,
	},
	"but if there is nothing else": {
		groups{"s": reclaimed(spot, 9)}, options{option("s", 1, builds(4))},
		"s", cloudprovider.ChosenLeastBad,
	},
	"the cheaper, with the builds that it loses": { // 0.3 × (1 + 0.4/0.3) against 0.6
		groups{"a": costing(reclaimed(spot, 0.1), 0.3), "b": costing(reclaimed(spot, 0), 0.6)}, options{option("a", 1, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenPrice,
	},
	"the cheaper, although it loses builds": {
		groups{"b": costing(reclaimed(spot, 0.1), 0.3), "a": costing(reclaimed(spot, 0), 0.8)}, options{option("a", 1, builds(4)), option("b", 1, builds(4))},
		"b", cloudprovider.ChosenPrice,
	},
	"one group, twice": {
		groups{"a": normal}, options{option("a", 1, builds(4)), option("a", 3, builds(4))},
		"a", cloudprovider.ChosenOnly,
	},
	"an inactive group is passed over": {
		groups{"a": with(normal, func(g *expander.Group) { g.Inactive = true }), "b": normal},
		options{option("a", 1, builds(1)), option("b", 1, builds(1))},
		"b", cloudprovider.ChosenHealthy,
	},
	"a foreign group after ours": {
		groups{"n": normal}, options{option("x", 1, builds(4)), option("n", 3, builds(4))},
		"n", cloudprovider.ChosenHealthy,
	},
	"a foreign group before ours that are skipped": {
		groups{"n": sick(normal, noStock)}, options{option("n", 1, builds(1)), option("x", 1, builds(1))},
		"x", cloudprovider.ChosenForeign,
	},
}

func TestChoice(t *testing.T) {
	for name, test := range choices {
		t.Run(name, func(t *testing.T) {
			x := expander.Choose(config.DefaultExpander(), test.groups, test.options, now)
			assert.Equal(t, []string{test.want}, x.Best)
			assert.Equal(t, test.reason, x.Reason)
			require.NotEmpty(t, x.Ranked)
			assert.Equal(t, test.want, x.Ranked[0].GroupID, "the chosen is ranked first")
		})
	}
}

func TestForeignGroupsAreLeftToTheNextExpander(t *testing.T) {
	x := expander.Choose(config.DefaultExpander(), nil, options{option("y", 1, builds(1)), option("x", 2, builds(1))}, now)
	assert.Equal(t, []string{"y", "x"}, x.Best)
	assert.Equal(t, cloudprovider.ChosenForeign, x.Reason)
}

func TestNoOptions(t *testing.T) {
	x := expander.Choose(config.DefaultExpander(), groups{"n": normal}, nil, now)
	assert.Empty(t, x.Best)
	assert.Equal(t, cloudprovider.ChosenNoOptions, x.Reason)
}

func TestTroubleIsForgottenAtItsTime(t *testing.T) {
	own := config.Duration(time.Minute)
	never := config.Duration(0)
	for name, test := range map[string]struct {
		group  expander.Group
		lasts  time.Duration
		reason cloudprovider.SkipReason
		health func(expander.Incident) expander.Health
	}{
		"out of stock": {spot, 5 * time.Minute, cloudprovider.SkippedOutOfStock,
			func(i expander.Incident) expander.Health { return expander.Health{OutOfStock: i} }},
		"reclaimed": {spot, 10 * time.Minute, cloudprovider.SkippedReclaimed,
			func(i expander.Incident) expander.Health { return expander.Health{Reclaimed: i} }},
		"throttled": {spot, time.Minute, cloudprovider.SkippedThrottled,
			func(i expander.Incident) expander.Health { return expander.Health{Throttled: i} }},
		"failed": {spot, 5 * time.Minute, cloudprovider.SkippedFailed,
			func(i expander.Incident) expander.Health { return expander.Health{Failed: i} }},
		"failed, with a cooldown of its own": {
			with(spot, func(g *expander.Group) { g.FailureCooldown = &own }), time.Minute, cloudprovider.SkippedFailed,
			func(i expander.Incident) expander.Health { return expander.Health{Failed: i} }},
		"failed, without cooldown": {
			with(spot, func(g *expander.Group) { g.FailureCooldown = &never }), 0, cloudprovider.SkippedFailed,
			func(i expander.Incident) expander.Health { return expander.Health{Failed: i} }},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(since time.Duration) cloudprovider.Expansion {
				g := groups{"s": sick(test.group, test.health(expander.Incident{At: ago(since), Code: "C"})), "n": normal}
				return expander.Choose(config.DefaultExpander(), g, options{option("s", 1, builds(1)), option("n", 1, builds(1))}, now)
			}
			assert.Equal(t, []string{"s"}, at(test.lasts).Best, "at its time it is over")
			if test.lasts == 0 {
				return
			}
			x := at(test.lasts - time.Nanosecond)
			assert.Equal(t, []string{"n"}, x.Best)
			last := x.Ranked[1]
			require.Len(t, last.Skips, 1)
			since := ago(test.lasts - time.Nanosecond)
			assert.Equal(t, cloudprovider.Skip{Reason: test.reason, Code: "C", At: since, Until: since.Add(test.lasts)}, last.Skips[0])
		})
	}
}

func TestLeastBad(t *testing.T) {
	at := func(minutes int) expander.Incident {
		return expander.Incident{At: ago(time.Duration(minutes) * time.Minute)}
	}
	skip30 := config.Duration(30 * time.Minute)
	policy := config.DefaultExpander()
	policy.SkipFor = config.SkipFor{OutOfStock: &skip30, Reclaimed: &skip30, Throttled: &skip30, Failed: &skip30}
	// The best of the bad first; each group is worse than the one before.
	ladder := []struct {
		name  string
		group expander.Group
	}{
		{"zz-reclaimed-often", reclaimed(spot, 1)},
		{"z-reclaimed", sick(normal, expander.Health{Reclaimed: at(1)})},
		{"y-throttled", sick(spot, expander.Health{Throttled: at(1)})},
		{"x-failed", sick(spot, expander.Health{Failed: at(1), Reclaimed: at(1)})},
		{"w-stock-long-ago", sick(normal, outOfStock(ago(20*time.Minute)))},
		{"v-stock", sick(normal, expander.Health{OutOfStock: at(1), Throttled: at(1)})},
		{"u-inactive", with(spot, func(g *expander.Group) { g.Inactive = true })},
		{"t-gpu", gpu},
	}
	all, asked, want := groups{}, options{}, []string{}
	for _, step := range ladder {
		all[step.name] = step.group
		asked = append(asked, option(step.name, 1, builds(1)))
		want = append(want, step.name)
	}
	for len(asked) > 0 {
		x := expander.Choose(policy, all, asked, now)
		assert.Equal(t, want[:1], x.Best)
		assert.Equal(t, want, names(x.Ranked))
		asked, want = asked[1:], want[1:]
	}
}

func TestLeastBadOfEquallyBad(t *testing.T) {
	h := outOfStock(ago(time.Minute))
	x := expander.Choose(config.DefaultExpander(), groups{"a": sick(spot, h), "b": sick(spot, h)},
		options{option("a", 2, builds(4)), option("b", 1, builds(4))}, now)
	assert.Equal(t, []string{"b"}, x.Best, "the one that wastes less")
}

func TestWhatALostBuildCosts(t *testing.T) {
	for lost, want := range map[time.Duration]string{0: "s", time.Hour: "s", 4 * time.Hour: "n", 12 * time.Hour: "n"} {
		policy := config.DefaultExpander()
		d := config.Duration(lost)
		policy.LostBuild = &d
		x := expander.Choose(policy, groups{"s": reclaimed(spot, 0.2), "n": normal}, options{option("s", 1, builds(1)), option("n", 1, builds(1))}, now)
		assert.Equal(t, []string{want}, x.Best, lost)
		if want == "n" {
			assert.Equal(t, []cloudprovider.Skip{{Reason: cloudprovider.SkippedReclaimedOften}}, x.Ranked[1].Skips)
		}
	}
}

func TestVeto(t *testing.T) {
	policy := config.DefaultExpander()
	policy.WhenAllSkipped = config.Veto
	all := groups{"s": sick(spot, outOfStock(ago(time.Minute))), "n": normal, "g": gpu}
	x := expander.Choose(policy, all, options{option("s", 1, builds(1)), option("g", 1, builds(1))}, now)
	assert.Empty(t, x.Best)
	assert.Equal(t, cloudprovider.ChosenNone, x.Reason)
	assert.Len(t, x.Ranked, 2, "it is still explained")

	x = expander.Choose(policy, all, options{option("s", 1, builds(1)), option("n", 1, builds(1))}, now)
	assert.Equal(t, []string{"n"}, x.Best, "there is one that is not skipped")
	x = expander.Choose(policy, all, options{option("s", 1, builds(1)), option("x", 1, builds(1))}, now)
	assert.Equal(t, []string{"x"}, x.Best, "what is not ours is not ours to veto")
}

func TestTiersOfOnesOwn(t *testing.T) {
	policy := config.DefaultExpander()
	policy.Tiers = []config.Tier{{Classes: []config.Class{config.ClassNormal, config.ClassSpot}}}
	all := groups{"s": spot, "n": normal, "g": gpu}
	x := expander.Choose(policy, all, options{option("g", 1, builds(4)), option("s", 2, builds(4)), option("n", 1, builds(4))}, now)
	assert.Equal(t, []string{"n", "s", "g"}, names(x.Ranked), "one tier is ranked by waste, and a class without a tier comes last")
	assert.Equal(t, cloudprovider.ChosenLeastWaste, x.Reason)
	assert.Equal(t, 2, x.Ranked[2].Tier)
}

func TestWasteAndPriceAreToldAsTheyWereReckoned(t *testing.T) {
	all := groups{"a": costing(normal, 3), "b": normal}
	b := option("b", 1, builds(1))
	b.Node = func() (cloudprovider.NodeOffer, bool) { return cloudprovider.NodeOffer{}, false }
	x := expander.Choose(config.DefaultExpander(), all, options{option("a", 2, builds(6)), b}, now)
	require.Equal(t, []string{"a", "b"}, names(x.Ranked))
	require.NotNil(t, x.Ranked[0].Waste)
	assert.Equal(t, 0.5, *x.Ranked[0].Waste, "a quarter of the cpu and a quarter of the memory")
	assert.Equal(t, 1.0, *x.Ranked[0].PricePerPod, "two nodes at 3 for six pods")
	assert.Nil(t, x.Ranked[1].Waste, "neither CA nor a template says what the node offers")
	assert.Nil(t, x.Ranked[1].PricePerPod)

	tiny := cloudprovider.NodeOffer{MilliCPU: 2000, MemoryBytes: 4 * gib}
	all["a"] = with(all["a"], func(g *expander.Group) { g.Template = &tiny })
	all["b"] = with(normal, func(g *expander.Group) { g.Template = &node })
	x = expander.Choose(config.DefaultExpander(), all, options{option("a", 2, builds(6)), b}, now)
	require.NotNil(t, x.Ranked[1].Waste)
	assert.Equal(t, 1.5, *x.Ranked[1].Waste, "the group's own template")
	assert.Equal(t, 0.5, *x.Ranked[0].Waste, "which what CA says of the node outranks")

	x = expander.Choose(config.DefaultExpander(), all, options{option("a", 1, builds(0)), option("b", 1, builds(1))}, now)
	require.Equal(t, []string{"b", "a"}, names(x.Ranked))
	assert.Nil(t, x.Ranked[1].Waste, "nothing is known of its pods")
	assert.Nil(t, x.Ranked[1].PricePerPod)
}

// TestPodsAreReadOnlyWhereTheyCount: reading thousands of pods is what a request
// costs.
func TestPodsAreReadOnlyWhereTheyCount(t *testing.T) {
	read := map[string]int{}
	counted := func(o cloudprovider.ExpansionOption) cloudprovider.ExpansionOption {
		demand := o.Demand
		o.Demand = func() (cloudprovider.PodDemand, error) {
			read[o.GroupID]++
			return demand()
		}
		return o
	}
	all := groups{"s": spot, "n1": normal, "n2": normal, "g": gpu}
	expander.Choose(config.DefaultExpander(), all, options{
		counted(option("s", 1, builds(1))), counted(option("n1", 1, builds(1))),
		counted(option("n2", 1, builds(1))), counted(option("g", 1, builds(1))),
	}, now)
	assert.Equal(t, map[string]int{"g": 1}, read)
}

func names(ranked []cloudprovider.RankedOption) []string {
	out := make([]string, len(ranked))
	for i, r := range ranked {
		out[i] = r.GroupID
	}
	return out
}
