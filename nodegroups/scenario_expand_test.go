package nodegroups_test

import (
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// doExpand asks the expander which of the groups is to grow by a node for a build that
// fills a quarter of it. The expander has a port of its own, and is asked directly.
func (s *stage) doExpand(o order) []string {
	var options []cloudprovider.ExpansionOption
	for _, group := range o.words {
		options = append(options, cloudprovider.ExpansionOption{
			GroupID: group, NodeCount: 1,
			Demand: func() (cloudprovider.PodDemand, error) {
				return cloudprovider.PodDemand{Pods: 1, MilliCPU: 2000, MemoryBytes: 4 << 30}, nil
			},
			Node: func() (cloudprovider.NodeOffer, bool) { return cloudprovider.NodeOffer{}, false },
		})
	}
	x, err := o.actor.provider.BestOptions(options)
	require.NoError(s.t, err)
	lines := []string{strings.Join(x.Best, ", ") + ": " + string(x.Reason)}
	for _, r := range x.Ranked {
		for _, skip := range r.Skips {
			lines = append(lines, "  "+r.GroupID+" is passed over: "+string(skip.Reason))
		}
	}
	return lines
}
