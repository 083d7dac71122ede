package demo

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// The autoscaler's timers: cluster-autoscaler's defaults.
const (
	scanInterval = 10 * time.Second
	unneededTime = 10 * time.Minute
	backoffTime  = 5 * time.Minute
)

// autoscaler asks the provider what cluster-autoscaler asks, in its order.
type autoscaler struct {
	provider protos.CloudProviderClient
	cluster  *cluster
	tell     func(format string, args ...any)

	groups  []*group
	seen    map[string]bool      // failed instances already reacted to
	backoff map[string]time.Time // group → until

	// added and removed count nodes since the screen last showed them.
	added, removed int
	lastGrown      class
}

// group is a node group in one loop.
type group struct {
	id          class
	lowest, max int
	target      int
	instances   []*protos.Instance
	registered  int
}

// upcoming is how many nodes the group is still to get.
func (g *group) upcoming() int { return max(0, g.target-g.registered) }

// loop is one pass: refresh, react to failures, then scale up, or else down.
func (a *autoscaler) loop(ctx context.Context, now time.Time) error {
	if _, err := a.provider.Refresh(ctx, &protos.RefreshRequest{}); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	if err := a.look(ctx); err != nil {
		return err
	}
	if err := a.giveUpFailed(ctx, now); err != nil {
		return err
	}
	grew, err := a.scaleUp(ctx, now)
	if err != nil || grew {
		return err
	}
	return a.scaleDown(ctx, now)
}

// look reads every group and finds every node's group.
func (a *autoscaler) look(ctx context.Context) error {
	answer, err := a.provider.NodeGroups(ctx, &protos.NodeGroupsRequest{})
	if err != nil {
		return fmt.Errorf("list node groups: %w", err)
	}
	a.groups = a.groups[:0]
	byID := map[string]*group{}
	for _, g := range answer.GetNodeGroups() {
		one := &group{id: class(g.GetId()), lowest: int(g.GetMinSize()), max: int(g.GetMaxSize())}
		target, err := a.provider.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: g.GetId()})
		if err != nil {
			return fmt.Errorf("target size of %s: %w", g.GetId(), err)
		}
		nodes, err := a.provider.NodeGroupNodes(ctx, &protos.NodeGroupNodesRequest{Id: g.GetId()})
		if err != nil {
			return fmt.Errorf("nodes of %s: %w", g.GetId(), err)
		}
		one.target, one.instances = int(target.GetTargetSize()), nodes.GetInstances()
		a.groups = append(a.groups, one)
		byID[g.GetId()] = one
		if _, known := a.cluster.shape[one.id]; !known {
			if err := a.learnShape(ctx, one.id); err != nil {
				return err
			}
		}
	}
	for _, n := range a.cluster.nodes {
		owner, err := a.provider.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{
			Node: &protos.ExternalGrpcNode{Name: n.name, ProviderID: n.providerID},
		})
		if err != nil {
			return fmt.Errorf("group of node %s: %w", n.name, err)
		}
		if g := byID[owner.GetNodeGroup().GetId()]; g != nil && !n.deleting {
			g.registered++
		}
	}
	return nil
}

// learnShape asks for the group's template, as scaling from zero needs it.
func (a *autoscaler) learnShape(ctx context.Context, id class) error {
	answer, err := a.provider.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: string(id)})
	if err != nil {
		return fmt.Errorf("template of %s: %w", id, err)
	}
	var n corev1.Node
	if err := n.Unmarshal(answer.GetNodeBytes()); err != nil {
		return fmt.Errorf("decode template of %s: %w", id, err)
	}
	gpus := n.Status.Allocatable["nvidia.com/gpu"]
	a.cluster.shape[id] = shape{milliCPU: n.Status.Allocatable.Cpu().MilliValue(), gpus: gpus.Value()}
	return nil
}

// giveUpFailed backs a group off whose instances could not be created, and deletes
// the placeholders that say so.
func (a *autoscaler) giveUpFailed(ctx context.Context, now time.Time) error {
	for _, g := range a.groups {
		var failed []*protos.ExternalGrpcNode
		reason := ""
		for _, i := range g.instances {
			if i.GetStatus().GetErrorInfo().GetErrorCode() == "" {
				continue
			}
			reason = i.GetStatus().GetErrorInfo().GetErrorCode()
			failed = append(failed, &protos.ExternalGrpcNode{
				Name: i.GetId(), ProviderID: i.GetId(),
				Annotations: map[string]string{"k8s.io/cluster-autoscaler/fake-node-reason": "create-error"},
			})
			if !a.seen[i.GetId()] {
				a.seen[i.GetId()] = true
				a.backoff[string(g.id)] = now.Add(backoffTime)
			}
		}
		if len(failed) == 0 {
			continue
		}
		a.tell("%s: %d instances could not be created (%s), group backed off for %s",
			g.id, len(failed), reason, short(backoffTime))
		if _, err := a.provider.NodeGroupDeleteNodes(ctx, &protos.NodeGroupDeleteNodesRequest{Id: string(g.id), Nodes: failed}); err != nil {
			return fmt.Errorf("give up failed instances of %s: %w", g.id, err)
		}
		target, err := a.provider.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: string(g.id)})
		if err != nil {
			return fmt.Errorf("target size of %s: %w", g.id, err)
		}
		g.target = int(target.GetTargetSize())
	}
	return nil
}
