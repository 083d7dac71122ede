package expander

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// Choose ranks the options. The result does not depend on their order, but for
// foreign groups, which keep theirs: CA's next expander decides among them.
//
// A foreign group comes after ours that may be chosen, because nothing is known in
// its favour, and before ours that are skipped, because nothing is known against it.
// Of several options of one group the first counts.
func Choose(policy config.Expander, groups map[string]Group, options []cloudprovider.ExpansionOption, now time.Time) cloudprovider.Expansion {
	var s sorted
	seen := make(map[string]bool, len(options))
	for _, o := range options {
		if seen[o.GroupID] {
			continue
		}
		seen[o.GroupID] = true
		group, ours := groups[o.GroupID]
		if !ours {
			s.foreign = append(s.foreign, cloudprovider.RankedOption{GroupID: o.GroupID, NodeCount: o.NodeCount, Foreign: true})
			continue
		}
		c := candidate{option: o, group: group}
		c.RankedOption = cloudprovider.RankedOption{GroupID: o.GroupID, NodeCount: o.NodeCount, Priority: group.Priority}
		c.judge(policy, now)
		if len(c.Skips) == 0 {
			s.fit = append(s.fit, c)
		} else {
			s.skipped = append(s.skipped, c)
		}
	}
	veto := policy.WhenAllSkipped == config.Veto
	rank(s.fit, byPlace)
	if len(s.fit) == 0 && len(s.foreign) == 0 && !veto {
		rank(s.skipped, byBadness)
	} else {
		slices.SortFunc(s.skipped, inOrder(byBadness, byName))
	}
	e := s.choose(veto)
	e.Ranked = s.all()
	return e
}

// sorted are the options by how they may be chosen, each list best first.
type sorted struct {
	fit     []candidate
	foreign []cloudprovider.RankedOption
	skipped []candidate
}

func (s sorted) all() []cloudprovider.RankedOption {
	all := make([]cloudprovider.RankedOption, 0, len(s.fit)+len(s.foreign)+len(s.skipped))
	for _, c := range s.fit {
		all = append(all, c.RankedOption)
	}
	all = append(all, s.foreign...)
	for _, c := range s.skipped {
		all = append(all, c.RankedOption)
	}
	return all
}

// choose takes the best and says what set it apart. One group is named, not a whole
// tier: CA would let its next expander, at last chance, choose among several.
func (s sorted) choose(veto bool) cloudprovider.Expansion {
	best := func(id string, why cloudprovider.ChoiceReason) cloudprovider.Expansion {
		return cloudprovider.Expansion{Best: []string{id}, Reason: why}
	}
	others := len(s.fit) + len(s.foreign) + len(s.skipped) - 1
	switch {
	case others < 0:
		return cloudprovider.Expansion{Reason: cloudprovider.ChosenNoOptions}
	case len(s.fit) > 1:
		return best(s.fit[0].GroupID, difference(s.fit[0], s.fit[1]))
	case len(s.fit) == 1 && others == 0:
		return best(s.fit[0].GroupID, cloudprovider.ChosenOnly)
	case len(s.fit) == 1:
		return best(s.fit[0].GroupID, cloudprovider.ChosenHealthy)
	case len(s.foreign) > 0:
		e := cloudprovider.Expansion{Reason: cloudprovider.ChosenForeign}
		for _, f := range s.foreign {
			e.Best = append(e.Best, f.GroupID)
		}
		return e
	case veto:
		return cloudprovider.Expansion{Reason: cloudprovider.ChosenNone}
	}
	return best(s.skipped[0].GroupID, cloudprovider.ChosenLeastBad)
}
