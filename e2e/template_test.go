package e2e

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// notOfTheTemplate are labels of a node that a template need not carry.
var notOfTheTemplate = map[string]string{
	corev1.LabelHostname: "CA sets it on the nodes it makes of a template",
	// Names from before Kubernetes 1.17, which kubelet still sets beside the new ones.
	"beta.kubernetes.io/os":            "CA copies it from kubernetes.io/os",
	"beta.kubernetes.io/arch":          "CA copies it from kubernetes.io/arch",
	"beta.kubernetes.io/instance-type": "CA copies it from node.kubernetes.io/instance-type",
}

// TestTemplate: what the provider says of a node before there is one equals the
// node that then joins, in everything the scheduler looks at.
func TestTemplate(t *testing.T) {
	s := newScenario(t, newWorld())
	client := s.dial()
	_, err := client.Refresh(s.ctx, &protos.RefreshRequest{})
	require.NoError(t, err)
	templates := map[string]*corev1.Node{}
	for _, c := range []class{spot, normal, gpu} {
		require.Empty(t, s.instances(c), "the templates are those of empty groups")
		templates[c.name] = s.templateOf(client, c)
	}

	label, err := client.GPULabel(s.ctx, &protos.GPULabelRequest{})
	require.NoError(t, err)
	assert.Equal(t, "aliyun.accelerator/nvidia_name", label.GetLabel())
	types, err := client.GetAvailableGPUTypes(s.ctx, &protos.GetAvailableGPUTypesRequest{})
	require.NoError(t, err)
	assert.Equal(t, []string{"NVIDIA-A10"}, slices.Collect(maps.Keys(types.GetGpuTypes())))

	for _, c := range []class{spot, normal, gpu} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, s.simulator.SetDesired(s.ctx, c.scalingGroup, 1))
			s.eventually(30*time.Second, "a node of class "+c.name, func(ctx context.Context) error { return s.expectSize(ctx, c, 1) })
			nodes, err := s.nodes(s.ctx, c)
			require.NoError(t, err)
			assertSameNode(t, &nodes[0], templates[c.name])
		})
	}
}

// dial speaks to the provider as CA does.
func (s *scenario) dial() protos.CloudProviderClient {
	s.t.Helper()
	connection, err := grpc.NewClient(s.provider.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { assert.NoError(s.t, connection.Close()) })
	return protos.NewCloudProviderClient(connection)
}

func (s *scenario) templateOf(client protos.CloudProviderClient, c class) *corev1.Node {
	s.t.Helper()
	answer, err := client.NodeGroupTemplateNodeInfo(s.ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: c.nodeGroup})
	require.NoError(s.t, err)
	node := &corev1.Node{}
	require.NoError(s.t, node.Unmarshal(answer.GetNodeBytes()))
	return node
}

func assertSameNode(t *testing.T, node, template *corev1.Node) {
	t.Helper()
	labels := maps.Clone(node.Labels)
	maps.DeleteFunc(labels, func(name, _ string) bool { return notOfTheTemplate[name] != "" })
	templateLabels := maps.Clone(template.Labels)
	maps.DeleteFunc(templateLabels, func(name, _ string) bool { return notOfTheTemplate[name] != "" })
	assert.Equal(t, labels, templateLabels, "labels")
	assert.ElementsMatch(t, permanent(node.Spec.Taints), permanent(template.Spec.Taints), "taints")
	assert.Equal(t, readable(node.Status.Capacity), readable(template.Status.Capacity), "capacity")
	assert.Equal(t, readable(node.Status.Allocatable), readable(template.Status.Allocatable), "allocatable")
	assert.True(t, ready(template), "CA takes a node without the condition Ready for one that does not start")
	assert.True(t, ready(node))
}

// permanent leaves out what the cluster itself puts on a node that starts.
func permanent(taints []corev1.Taint) []corev1.Taint {
	return slices.DeleteFunc(slices.Clone(taints), func(taint corev1.Taint) bool {
		return strings.HasPrefix(taint.Key, "node.kubernetes.io/")
	})
}

// readable makes equal amounts equal strings: 1Gi and 1024Mi are the same.
func readable(list corev1.ResourceList) map[string]string {
	out := map[string]string{}
	for name, quantity := range list {
		out[string(name)] = quantity.AsDec().String()
	}
	return out
}
