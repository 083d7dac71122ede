package e2e

import (
	"context"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/simulator"
)

// expectInstances checks that the scaling group holds exactly so many instances and
// wants no other number.
func (s *scenario) expectInstances(ctx context.Context, c class, want int) error {
	group, err := s.simulator.Group(ctx, c.scalingGroup)
	if err != nil {
		return err
	}
	if len(group.Instances) != want || group.Desired != want {
		return fmt.Errorf("scaling group %s has %d instances and wants %d, want %d", group.ID, len(group.Instances), group.Desired, want)
	}
	return nil
}

// expectNodes checks that the class has exactly so many usable nodes.
func (s *scenario) expectNodes(ctx context.Context, c class, want int) error {
	nodes, err := s.nodes(ctx, c)
	if err != nil {
		return err
	}
	if len(nodes) != want {
		return fmt.Errorf("%d nodes of class %s are ready, want %d", len(nodes), c.name, want)
	}
	return nil
}

// expectSize checks instances and nodes.
func (s *scenario) expectSize(ctx context.Context, c class, want int) error {
	if err := s.expectInstances(ctx, c, want); err != nil {
		return err
	}
	return s.expectNodes(ctx, c, want)
}

// instanceOf returns the ID of the instance behind a node.
func (s *scenario) instanceOf(node string) string {
	s.t.Helper()
	n, err := s.cluster.Client.CoreV1().Nodes().Get(s.ctx, node, metav1.GetOptions{})
	require.NoError(s.t, err)
	id, ok := strings.CutPrefix(n.Spec.ProviderID, "cn-hangzhou.")
	require.True(s.t, ok, "provider ID %q", n.Spec.ProviderID)
	return id
}

// instances returns the IDs of the scaling group's instances.
func (s *scenario) instances(c class) []string {
	s.t.Helper()
	group, err := s.simulator.Group(s.ctx, c.scalingGroup)
	require.NoError(s.t, err)
	return group.InstanceIDs()
}

// increases returns the accepted writes that raise or set the size of the scaling
// group, oldest first.
func (s *scenario) increases(c class) []simulator.Call {
	s.t.Helper()
	calls, err := s.simulator.Calls(s.ctx, "ScaleWithAdjustment", "ModifyScalingGroup")
	require.NoError(s.t, err)
	return ofGroup(calls, c)
}

// removed returns the IDs of all instances that accepted RemoveInstances calls
// named, over all groups.
func (s *scenario) removed() []string {
	s.t.Helper()
	calls, err := s.simulator.Calls(s.ctx, "RemoveInstances")
	require.NoError(s.t, err)
	ids := []string{}
	for _, call := range calls {
		if call.OK() {
			ids = append(ids, call.InstanceIDs()...)
		}
	}
	return ids
}

func ofGroup(calls []simulator.Call, c class) []simulator.Call {
	var out []simulator.Call
	for _, call := range calls {
		if call.Group() == c.scalingGroup && call.OK() {
			out = append(out, call)
		}
	}
	return out
}

// totals are the absolute numbers that the writes ask for.
func (s *scenario) totals(calls []simulator.Call) []int {
	s.t.Helper()
	out := []int{}
	for _, call := range calls {
		total, err := call.Total()
		require.NoError(s.t, err)
		out = append(out, total)
	}
	return out
}
