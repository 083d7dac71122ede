package engine

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/workload"
)

// demand is what the scheduler and the autoscaler see of builds: those whose pods
// differ only in job, image or duration are one demand. There are few, however many
// builds there are, and all that is worked out per demand is worked out rarely.
type demand struct {
	ask room
	// fits tells for each group whether an empty node of it would do.
	fits []bool
	// kinds are the node kinds of those groups.
	kinds []int32
	// class is an index into Settings.Classes(), -1 if no group has the class.
	class int32
	// placeable: some group's node would do.
	placeable bool
	// ladder finds the best node that has room for it.
	ladder ladder
	// waiting are its builds that have no node; line is how the scheduler tries them.
	waiting queue
	line    line
}

// kind is what nodes have in common that no scheduler could tell apart, whichever
// group they are of.
type kind struct {
	allocatable room
	demands     []int32 // that fit an empty node of the kind
	// avoided counts the group's own PreferNoSchedule taints.
	avoided int32
	// open counts the nodes that the scheduler places builds on, full ones too.
	open int
}

// demandsOf reduces the trace's shapes to demands; of[shape] is the shape's demand.
func demandsOf(trace workload.Trace, groups []Group, classes []string) (demands []demand, of []int32) {
	of = make([]int32, len(trace.Shapes))
	known := map[string]int32{}
	for i, s := range trace.Shapes {
		key := demandKey(s)
		d, ok := known[key]
		if !ok {
			d = int32(len(demands))
			known[key] = d
			demands = append(demands, newDemand(s, groups, classes))
		}
		of[i] = d
	}
	return demands, of
}

func demandKey(s workload.Shape) string {
	labels := make([]string, 0, len(s.Labels))
	for k, v := range s.Labels {
		labels = append(labels, k+"="+v)
	}
	sort.Strings(labels)
	return fmt.Sprintf("%q %d %d %d %q", s.Classes, s.MilliCPU, s.MemoryBytes, s.GPUs, strings.Join(labels, ","))
}

func newDemand(s workload.Shape, groups []Group, classes []string) demand {
	d := demand{
		ask:   room{milliCPU: s.MilliCPU, memory: s.MemoryBytes, gpus: int32(s.GPUs), pods: 1},
		fits:  make([]bool, len(groups)),
		class: -1,
	}
	for _, c := range s.Classes {
		if i := slices.Index(classes, c); i >= 0 {
			d.class = int32(i)
			break
		}
	}
	for i, g := range groups {
		d.fits[i] = admits(g, s) && roomOf(g.Template.Allocatable).holds(d.ask)
		d.placeable = d.placeable || d.fits[i]
	}
	return d
}

// admits reports whether the group's nodes are meant for the shape: of one of its
// classes, with the labels that it selects. A build tolerates the taints of the
// classes that it names, which is what naming them is for.
func admits(g Group, s workload.Shape) bool {
	if !slices.Contains(s.Classes, string(g.Config.Class)) {
		return false
	}
	for k, v := range s.Labels {
		if g.Template.Labels[k] != v {
			return false
		}
	}
	return true
}

// kindsOf finds the kinds of the groups' nodes; of[group] is the group's kind.
func kindsOf(groups []Group, demands []demand) (kinds []kind, of []int32) {
	of = make([]int32, len(groups))
	known := map[string]int32{}
	for g := range groups {
		k := kind{allocatable: roomOf(groups[g].Template.Allocatable), avoided: avoidedBy(groups[g].Config)}
		for d := range demands {
			if demands[d].fits[g] {
				k.demands = append(k.demands, int32(d))
			}
		}
		key := fmt.Sprint(k)
		at, ok := known[key]
		if !ok {
			at = int32(len(kinds))
			known[key] = at
			kinds = append(kinds, k)
			for _, d := range k.demands {
				demands[d].kinds = append(demands[d].kinds, at)
			}
		}
		of[g] = at
	}
	return kinds, of
}

func avoidedBy(g config.Group) int32 {
	n := int32(0)
	for _, t := range g.Taints {
		if t.Effect == "PreferNoSchedule" {
			n++
		}
	}
	return n
}
