package engine

import (
	"math"
	"slices"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

// gpuLabel is the label by which a node counts as a GPU node.
const gpuLabel = cloudprovider.LabelGPU

// Expanders returns every name that --expander may hold.
func Expanders() []string {
	return []string{LeastWaste, Random, ByPriority, ByPrice, MostPods, LeastNodes, GRPC}
}

// choose lets the expanders choose in turn until one option is left; ties are broken at
// random (CA expander/factory/chain.go). nil: none is to be taken.
func (s *autoscaler) choose(options []option) *option {
	for _, name := range s.flags.Expander {
		if len(options) == 0 {
			return nil
		}
		options = s.filter(name, options)
		if len(options) == 1 {
			return &options[0]
		}
	}
	if len(options) == 0 {
		return nil
	}
	return &options[s.world.expansions.IntN(len(options))]
}

func (s *autoscaler) filter(name string, options []option) []option {
	switch name {
	case LeastWaste:
		return least(options, s.waste)
	case LeastNodes:
		return least(options, func(o *option) float64 { return float64(o.nodes) })
	case MostPods:
		return least(options, func(o *option) float64 { return -float64(o.builds) })
	case ByPriority:
		return least(options, func(o *option) float64 { return -float64(s.world.settings.Groups[o.group].Config.Priority) })
	case ByPrice:
		return least(options, s.priceScore)
	case GRPC:
		return s.ourChoice(options)
	}
	return options[s.world.expansions.IntN(len(options)):][:1] // random
}

// least keeps the options with the lowest score.
func least(options []option, score func(*option) float64) []option {
	var kept []option
	lowest := math.Inf(1)
	for i := range options {
		switch v := score(&options[i]); {
		case v < lowest:
			kept, lowest = []option{options[i]}, v
		case v == lowest:
			kept = append(kept, options[i])
		}
	}
	return kept
}

// sums adds up what an option's builds ask for.
func (s *autoscaler) sums(o *option) (milliCPU, memory int64, gpu bool) {
	for d, n := range o.placed {
		ask := s.world.demands[d].ask
		milliCPU += ask.milliCPU * int64(n)
		memory += ask.memory * int64(n)
		gpu = gpu || n > 0 && ask.gpus > 0
	}
	return milliCPU, memory, gpu
}

// waste is the share of cpu plus that of memory that the builds would leave unused (CA
// expander/waste/waste.go).
func (s *autoscaler) waste(o *option) float64 {
	milliCPU, memory, _ := s.sums(o)
	nodeCPU, nodeMemory := s.world.capacity(o.group)
	cpus, memories := nodeCPU*int64(o.nodes), nodeMemory*int64(o.nodes)
	return float64(cpus-milliCPU)/float64(cpus) + float64(memories-memory)/float64(memories)
}

// ourChoice asks buildpool's own policy, as the gRPC expander does (CA
// expander/grpcplugin/grpc_client.go). An empty answer vetoes the scale-up.
func (s *autoscaler) ourChoice(options []option) []option {
	w := s.world
	groups := make(map[string]expander.Group, len(options))
	asked := make([]cloudprovider.ExpansionOption, len(options))
	for i := range options {
		o := &options[i]
		g := &w.settings.Groups[o.group]
		price := g.PricePerHour
		nodeCPU, nodeMemory := w.capacity(o.group)
		offer := cloudprovider.NodeOffer{MilliCPU: nodeCPU, MemoryBytes: nodeMemory}
		groups[g.Config.Name] = expander.Group{
			Class: g.Config.Class, Priority: g.Config.Priority, Health: w.groups[o.group].trouble,
			FailureCooldown: g.Config.Cooldown.AfterFailure, Template: &offer, PricePerHour: &price,
		}
		asked[i] = cloudprovider.ExpansionOption{
			GroupID: g.Config.Name, NodeCount: o.nodes,
			Demand: func() (cloudprovider.PodDemand, error) {
				milliCPU, memory, gpu := s.sums(o)
				return cloudprovider.PodDemand{Pods: o.builds, MilliCPU: milliCPU, MemoryBytes: memory, GPU: gpu}, nil
			},
			Node: func() (cloudprovider.NodeOffer, bool) { return offer, true },
		}
	}
	best := expander.Choose(w.settings.Expander, groups, asked, w.clock()).Best
	return slices.DeleteFunc(options, func(o option) bool {
		return !slices.Contains(best, w.settings.Groups[o.group].Config.Name)
	})
}

// priceScore weighs an option's price against what its builds are worth, and prefers
// nodes of a size that suits the cluster (CA expander/price/price.go, preferred.go).
func (s *autoscaler) priceScore(o *option) float64 {
	const gpuUnfitness = 1000
	w := s.world
	stabilizing := s.worths.of(w.settings, room{milliCPU: 500, memory: 500 << 20, pods: 1})
	builds := 0.0
	for d, n := range o.placed {
		if n > 0 {
			builds += float64(n) * s.worths.of(w.settings, w.demands[d].ask)
		}
	}
	ratio := (w.settings.Groups[o.group].PricePerHour*float64(o.nodes) + stabilizing) / (builds + stabilizing)
	nodeCPU, _ := w.capacity(o.group)
	preferred := preferredCPU(w.readyNodes())
	unfitness := max(preferred/float64(nodeCPU), float64(nodeCPU)/preferred)
	unfitness = (unfitness-1)*(1-math.Tanh(float64(o.nodes-1)/15)) + 1
	if w.groups[o.group].options.gpuNodes {
		unfitness = gpuUnfitness
	}
	return unfitness * ratio
}

// preferredCPU is the size of node that suits a cluster, in milli-CPU: it doubles each
// time the cluster grows threefold (CA expander/price/preferred.go).
func preferredCPU(nodes int) float64 {
	cpu := 1000.0
	for _, size := range []int{2, 6, 20, 60, 200} {
		if nodes <= size {
			return cpu
		}
		cpu *= 2
	}
	return cpu
}
