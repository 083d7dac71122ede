package demo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// priority is the order in which groups are grown, as the priority expander would.
var priority = []class{gpu, spot, normal}

// scaleUp grows one group by as many nodes as the builds need that fit nowhere.
func (a *autoscaler) scaleUp(ctx context.Context, now time.Time) (bool, error) {
	homeless := a.homeless(now)
	for _, id := range priority {
		n := slices.IndexFunc(a.groups, func(g *group) bool { return g.id == id })
		if n < 0 || now.Before(a.backoff[string(id)]) {
			continue
		}
		g := a.groups[n]
		need := a.estimate(homeless, id)
		if delta := min(need, g.max-g.target); delta > 0 {
			a.added += delta
			if a.cluster.builds[0].ended.IsZero() || id != a.lastGrown {
				a.tell("scale up %s by %d to %d nodes", id, delta, g.target+delta)
			}
			a.lastGrown = id
			_, err := a.provider.NodeGroupIncreaseSize(ctx, &protos.NodeGroupIncreaseSizeRequest{Id: string(id), Delta: int32(delta)})
			if err != nil {
				return false, fmt.Errorf("increase %s: %w", id, err)
			}
			return true, nil
		}
	}
	return false, nil
}

// homeless returns the pending builds that no node, present or upcoming, will take.
func (a *autoscaler) homeless(now time.Time) []*build {
	var bins []*node
	for _, n := range a.cluster.nodes {
		if !n.deleting {
			bins = append(bins, &node{group: n.group, milliCPU: n.milliCPU, gpus: n.gpus, builds: slices.Clone(n.builds)})
		}
	}
	for _, g := range a.groups {
		for range g.upcoming() {
			bins = append(bins, a.newNode(g.id))
		}
	}
	var out []*build
	for _, b := range a.cluster.pending(now) {
		if !place(b, bins) {
			out = append(out, b)
		}
	}
	return out
}

// estimate packs the builds that accept the group onto new nodes of it.
func (a *autoscaler) estimate(builds []*build, id class) int {
	var bins []*node
	for _, b := range builds {
		if !slices.Contains(b.accepts, id) || place(b, bins) {
			continue
		}
		fresh := a.newNode(id)
		if place(b, []*node{fresh}) {
			bins = append(bins, fresh)
		}
	}
	return len(bins)
}

func (a *autoscaler) newNode(id class) *node {
	s := a.cluster.shape[id]
	return &node{group: id, milliCPU: s.milliCPU, gpus: s.gpus}
}

func place(b *build, bins []*node) bool {
	for _, n := range bins {
		if n.fits(b) {
			n.builds = append(n.builds, b)
			return true
		}
	}
	return false
}

// scaleDown deletes the nodes that have been idle long enough: one node per RPC, all
// at once, as cluster-autoscaler does.
func (a *autoscaler) scaleDown(ctx context.Context, now time.Time) error {
	spare := map[class]int{}
	for _, g := range a.groups {
		spare[g.id] = g.target - g.lowest
	}
	var idle []*node
	for _, n := range a.cluster.nodes {
		if !n.deleting && !n.idleSince.IsZero() && now.Sub(n.idleSince) >= unneededTime && spare[n.group] > 0 {
			spare[n.group]--
			idle = append(idle, n)
		}
	}
	if len(idle) == 0 {
		return nil
	}
	a.removed += len(idle)
	errs := make([]error, len(idle))
	var deletes sync.WaitGroup
	for i, n := range idle {
		n.deleting = true
		deletes.Go(func() {
			_, errs[i] = a.provider.NodeGroupDeleteNodes(ctx, &protos.NodeGroupDeleteNodesRequest{
				Id: string(n.group), Nodes: []*protos.ExternalGrpcNode{{Name: n.name, ProviderID: n.providerID}},
			})
		})
	}
	deletes.Wait()
	for i, n := range idle {
		if errs[i] != nil {
			n.deleting = false
			a.tell("delete %s failed: %v", n.name, errs[i])
		}
	}
	return nil
}
