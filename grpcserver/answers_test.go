package grpcserver

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestAnswersAreKeptWhileTheyAreRight(t *testing.T) {
	var a answers
	groups := []cloudprovider.NodeGroup{{ID: "gpu", Max: 4}, {ID: "spot", Max: 40}}
	first, err := a.nodeGroups(groups)
	require.NoError(t, err)
	again, err := a.nodeGroups([]cloudprovider.NodeGroup{{ID: "gpu", Max: 4}, {ID: "spot", Max: 40}})
	require.NoError(t, err)
	assert.Same(t, first, again, "another list that says the same")

	template, err := a.template("gpu", gpuTemplate())
	require.NoError(t, err)
	other, err := a.template("gpu", gpuTemplate())
	require.NoError(t, err)
	assert.Same(t, template, other)
}

// Every part of what an answer says is compared, whether the provider makes a new
// value or, as none should, writes to the old one.
func TestAnswersChangeWithTheProvider(t *testing.T) {
	provider := &account{
		groups:    []cloudprovider.NodeGroup{{ID: "gpu", Max: 4}},
		templates: map[string]cloudprovider.NodeTemplate{"gpu": gpuTemplate()},
	}
	w := connect(t, provider, slog.LevelInfo)
	listed := func() string {
		t.Helper()
		response, err := w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
		require.NoError(t, err)
		text := ""
		for _, group := range response.GetNodeGroups() {
			text += formatGroup(group) + ";"
		}
		return text
	}
	assert.Equal(t, "gpu 0..4 ;", listed())
	for want, change := range map[string]func(){
		"gpu 1..4 ;":            func() { provider.groups[0] = cloudprovider.NodeGroup{ID: "gpu", Min: 1, Max: 4} },
		"gpu 0..5 ;":            func() { provider.groups[0] = cloudprovider.NodeGroup{ID: "gpu", Max: 5} },
		"gpu 0..4 x;":           func() { provider.groups[0] = cloudprovider.NodeGroup{ID: "gpu", Max: 4, Debug: "x"} },
		"gpu 0..4 ;b 0..0 ;":    func() { provider.groups = []cloudprovider.NodeGroup{{ID: "gpu", Max: 4}, {ID: "b"}} },
		"":                      func() { provider.groups = nil },
		"gpu 0..4 made anew 1;": func() { provider.groups = []cloudprovider.NodeGroup{{ID: "gpu", Max: 4, Debug: "made anew 1"}} },
	} {
		provider.groups = []cloudprovider.NodeGroup{{ID: "gpu", Max: 4}}
		change()
		assert.Equal(t, want, listed())
	}

	described := func() *corev1.Node {
		t.Helper()
		response, err := w.NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{Id: "gpu"})
		require.NoError(t, err)
		node := &corev1.Node{}
		require.NoError(t, node.Unmarshal(response.GetNodeBytes()))
		return node
	}
	assert.Equal(t, "amd64", described().Labels[corev1.LabelArchStable])
	template := provider.templates["gpu"]
	template.Labels[corev1.LabelArchStable] = "arm64"
	assert.Equal(t, "arm64", described().Labels[corev1.LabelArchStable])
	template.Taints[0].Value = "other"
	assert.Equal(t, "other", described().Spec.Taints[0].Value)
	template.Capacity[corev1.ResourceCPU] = resource.MustParse("9")
	assert.Equal(t, "9", described().Status.Capacity.Cpu().String())
	template.Allocatable[corev1.ResourceCPU] = resource.MustParse("8500m")
	assert.Equal(t, "8500m", described().Status.Allocatable.Cpu().String())
}

// Two groups of one template differ by their names.
func TestTemplatesAreKeptByGroup(t *testing.T) {
	var a answers
	for _, group := range []string{"a", "b", "a"} {
		answer, err := a.template(group, gpuTemplate())
		require.NoError(t, err)
		var node corev1.Node
		require.NoError(t, node.Unmarshal(answer.GetNodeBytes()))
		assert.Equal(t, "template-"+group, node.Name)
	}
}

func TestNodesAreEncodedOncePerChange(t *testing.T) {
	var a answers
	listed := []cloudprovider.InstanceStatus{
		{ID: "cn-hangzhou.i-1", State: cloudprovider.Running},
		{ID: "failed-1", State: cloudprovider.Creating, Failure: &cloudprovider.Failure{Class: cloudprovider.OutOfResources, Code: "NoStock"}},
	}
	read := func() *protos.NodeGroupNodesResponse {
		t.Helper()
		message, err := a.instances("a", listed)
		require.NoError(t, err)
		encoded, err := proto.Marshal(message)
		require.NoError(t, err)
		var decoded protos.NodeGroupNodesResponse
		require.NoError(t, proto.Unmarshal(encoded, &decoded))
		assert.True(t, proto.Equal(encodeInstances(listed), &decoded), "on the wire it is as any other")
		return message
	}
	first := read()
	assert.Same(t, first, read())
	listed[0].State = cloudprovider.Deleting // the caller's list, of which a copy was kept
	second := read()
	assert.NotSame(t, first, second)
	listed[1].Failure = &cloudprovider.Failure{Class: cloudprovider.OtherFailure, Code: "Quota"}
	assert.NotSame(t, second, read())
	listed = listed[:1]
	read()
}
