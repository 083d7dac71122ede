package cluster_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
)

func spare(group string, slots int) cluster.Spare {
	return cluster.Spare{
		Group: group, Slots: slots,
		Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("2"), corev1.ResourceMemory: resource.MustParse("4Gi"),
			cloudprovider.GPUResource: resource.MustParse("1"),
		},
		NodeLabels: map[string]string{"buildpool.io/class": "gpu"},
		Taints:     []corev1.Taint{{Key: "buildpool.io/class", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}},
	}
}

func headroomOf(client *fake.Clientset, form cluster.HeadroomForm) *cluster.Headroom {
	return cluster.NewHeadroom(client, nil, cluster.HeadroomSettings{
		Form: form, Namespace: "ci", Image: "pause:1", PriorityClass: "low",
	}, slog.New(slog.DiscardHandler))
}

func TestHeadroomAsPods(t *testing.T) {
	client := fake.NewClientset()
	deployments := client.AppsV1().Deployments("ci")
	replicas := func() map[string]int32 {
		found, err := deployments.List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		out := map[string]int32{}
		for _, d := range found.Items {
			out[d.Name] = *d.Spec.Replicas
		}
		return out
	}
	h := headroomOf(client, cluster.HeadroomDetected)
	require.NoError(t, h.Keep(t.Context(), []cluster.Spare{spare("a", 2), spare("b", 1)}))
	assert.Equal(t, map[string]int32{"headroom-a": 2, "headroom-b": 1}, replicas())

	pod := func() corev1.PodTemplateSpec {
		d, err := deployments.Get(t.Context(), "headroom-a", metav1.GetOptions{})
		require.NoError(t, err)
		return d.Spec.Template
	}()
	assert.Equal(t, "a", pod.Labels[cloudprovider.LabelHeadroom], "the last look tells it from a build")
	assert.Equal(t, map[string]string{"buildpool.io/class": "gpu"}, pod.Spec.NodeSelector)
	assert.Equal(t, "low", pod.Spec.PriorityClassName)
	assert.Zero(t, *pod.Spec.TerminationGracePeriodSeconds, "a build waits for the place")
	require.Len(t, pod.Spec.Tolerations, 1)
	assert.Equal(t, corev1.Toleration{
		Key: "buildpool.io/class", Operator: corev1.TolerationOpEqual, Value: "gpu", Effect: corev1.TaintEffectNoSchedule,
	}, pod.Spec.Tolerations[0])
	resources := pod.Spec.Containers[0].Resources
	assert.Equal(t, "2", resources.Requests.Cpu().String())
	assert.Equal(t, resource.MustParse("1"), resources.Limits[cloudprovider.GPUResource], "without a limit the apiserver refuses it")
	assert.NotContains(t, resources.Limits, corev1.ResourceCPU)

	require.NoError(t, h.Keep(t.Context(), []cluster.Spare{spare("a", 0)}))
	assert.Equal(t, map[string]int32{"headroom-a": 0}, replicas(), "outside the hours it stays, with nothing; b keeps none any more")
	require.NoError(t, h.Keep(t.Context(), nil))
	assert.Empty(t, replicas())
}

func TestHeadroomLeavesOthersDeploymentsAlone(t *testing.T) {
	client := fake.NewClientset()
	require.NoError(t, headroomOf(client, cluster.HeadroomPods).Keep(t.Context(), []cluster.Spare{spare("a", 1)}))
	foreign, err := client.AppsV1().Deployments("ci").Get(t.Context(), "headroom-a", metav1.GetOptions{})
	require.NoError(t, err)
	foreign = foreign.DeepCopy()
	foreign.Name, foreign.Labels, foreign.ResourceVersion = "headroom-of-others", nil, ""
	_, err = client.AppsV1().Deployments("ci").Create(t.Context(), foreign, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, headroomOf(client, cluster.HeadroomPods).Keep(t.Context(), nil))
	left, err := client.AppsV1().Deployments("ci").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, left.Items, 1)
	assert.Equal(t, "headroom-of-others", left.Items[0].Name)
}

func TestHeadroomWithoutTheBufferThatWasAskedFor(t *testing.T) {
	err := headroomOf(fake.NewClientset(), cluster.HeadroomBuffer).Keep(t.Context(), []cluster.Spare{spare("a", 1)})
	assert.ErrorContains(t, err, "has no CapacityBuffer")
	assert.ErrorContains(t, err, "set headroom.by to pods")
}
