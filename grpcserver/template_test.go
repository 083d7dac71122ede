package grpcserver

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
)

func gpuTemplate() cloudprovider.NodeTemplate {
	return cloudprovider.NodeTemplate{
		Labels: map[string]string{
			corev1.LabelArchStable: "amd64", corev1.LabelOSStable: "linux",
			cloudprovider.LabelClass: "gpu", cloudprovider.LabelGPU: "NVIDIA-A10",
		},
		Taints: []corev1.Taint{{Key: cloudprovider.LabelClass, Value: "gpu", Effect: corev1.TaintEffectNoSchedule}},
		Capacity: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("29Gi"),
			corev1.ResourcePods: resource.MustParse("110"), cloudprovider.GPUResource: resource.MustParse("1"),
		},
		Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("7910m"), corev1.ResourceMemory: resource.MustParse("26Gi"),
			corev1.ResourcePods: resource.MustParse("110"), cloudprovider.GPUResource: resource.MustParse("1"),
		},
	}
}

func TestTemplateNode(t *testing.T) {
	w := connect(t, &account{templates: map[string]cloudprovider.NodeTemplate{"gpu": gpuTemplate()}}, slog.LevelInfo)
	response, err := w.NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{Id: "gpu"})
	require.NoError(t, err)

	var node corev1.Node
	require.NoError(t, node.Unmarshal(response.GetNodeBytes()))
	assert.Equal(t, dialect.Template(response.GetNodeBytes()).ProtoReflect().GetUnknown(), response.ProtoReflect().GetUnknown(),
		"CA up to 1.34 reads the node elsewhere, and stops if it is not there")
	want := gpuTemplate()
	assert.Equal(t, "template-gpu", node.Name)
	want.Labels[corev1.LabelHostname] = "template-gpu"
	assert.Equal(t, want.Labels, node.Labels)
	assert.Equal(t, want.Taints, node.Spec.Taints)
	assert.True(t, equality.Semantic.DeepEqual(want.Capacity, node.Status.Capacity), "capacity: %v", node.Status.Capacity)
	assert.True(t, equality.Semantic.DeepEqual(want.Allocatable, node.Status.Allocatable), "allocatable: %v", node.Status.Allocatable)
	require.Len(t, node.Status.Conditions, 1)
	assert.Equal(t, corev1.NodeReady, node.Status.Conditions[0].Type)
	assert.Equal(t, corev1.ConditionTrue, node.Status.Conditions[0].Status)
}

func TestTemplateNodeLeavesTheProvidersLabelsAlone(t *testing.T) {
	template := gpuTemplate()
	w := connect(t, &account{templates: map[string]cloudprovider.NodeTemplate{"gpu": template}}, slog.LevelInfo)
	_, err := w.NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{Id: "gpu"})
	require.NoError(t, err)
	assert.NotContains(t, template.Labels, corev1.LabelHostname)
}

func TestNoTemplateIsAnErrorAndNeverAnEmptyAnswer(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	response, err := w.NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{Id: "gpu"})
	requireStatus(t, err, codes.Unimplemented, "group gpu", "no node template")
	assert.Nil(t, response)
	assert.Contains(t, w.log.String(), "level=WARN", "CA skips such a group silently, so our log must tell")

	_, err = w.NodeGroupTemplateNodeInfo(t.Context(), &protos.NodeGroupTemplateNodeInfoRequest{})
	requireStatus(t, err, codes.InvalidArgument)
}
