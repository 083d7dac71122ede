package overflow_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/overflow"
)

const (
	ackKey  = "virtual-kubelet.io/provider"
	selfKey = "k8s.aliyun.com/vnode"
)

// policyOf lets the pods with the label overflow=eci move.
func policyOf(taintKey string) overflow.Policy {
	return overflow.Policy{
		Selector: labels.SelectorFromSet(labels.Set{"overflow": "eci"}),
		TaintKey: taintKey, Namespaces: []string{"ci"},
	}
}

// virtualNode is the node as each of the two providers registers it.
func virtualNode(taintKey string) *corev1.Node {
	value := map[string]string{ackKey: "alibabacloud", selfKey: "true"}[taintKey]
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "virtual", Labels: map[string]string{"type": "virtual-kubelet", "workload_type": "virtual"}},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: taintKey, Value: value, Effect: corev1.TaintEffectNoSchedule}}},
	}
}

// agent is a build pod as the examples have it: it prefers no node, and allows both.
func agent() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: "build", Labels: map[string]string{"overflow": "eci"}},
		Spec: corev1.PodSpec{
			Affinity:    &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: classOrVirtual()}},
			Tolerations: []corev1.Toleration{{Key: "buildpool.io/class", Operator: corev1.TolerationOpEqual, Value: "spot", Effect: corev1.TaintEffectNoSchedule}},
			Containers:  []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")}}}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
}

func classOrVirtual() *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: "workload_type", Operator: corev1.NodeSelectorOpIn, Values: []string{"spot", "virtual"}},
	}}}}
}

func ownedBy(kind string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: "owner", Controller: &yes}}
	}
}

func TestEligible(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   overflow.Reason
	}{
		"as in the examples":  {func(*corev1.Pod) {}, ""},
		"no affinity at all":  {func(p *corev1.Pod) { p.Spec.Affinity = nil }, ""},
		"a Job's":             {ownedBy("Job"), ""},
		"no label":            {func(p *corev1.Pod) { p.Labels = nil }, overflow.NotSelected},
		"another namespace":   {func(p *corev1.Pod) { p.Namespace = "shop" }, overflow.WrongNamespace},
		"a DaemonSet's":       {ownedBy("DaemonSet"), overflow.OwnedByDaemonSet},
		"a Deployment's (T7)": {ownedBy("ReplicaSet"), overflow.OwnedByDeployment},
		"host network":        {func(p *corev1.Pod) { p.Spec.HostNetwork = true }, overflow.UsesHostNetwork},
		"host path": {func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "docker", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/run/docker.sock"}}}}
		}, overflow.UsesHostPath},
		"host port": {func(p *corev1.Pod) { p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: 80}} }, overflow.UsesHostPort},
		"privileged": {func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
		}, overflow.IsPrivileged},
		"privileged init container": {func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{SecurityContext: &corev1.SecurityContext{Privileged: &yes}}}
		}, overflow.IsPrivileged},
		"64 vCPU": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("64")
		}, ""},
		"more than 64 vCPU": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("64001m")
		}, overflow.TooLarge},
		"20 containers":         {func(p *corev1.Pod) { p.Spec.Containers = make([]corev1.Container, 20) }, ""},
		"more than 20":          {func(p *corev1.Pod) { p.Spec.Containers = make([]corev1.Container, 21) }, overflow.TooManyContainers},
		"more than 20 volumes":  {func(p *corev1.Pod) { p.Spec.Volumes = make([]corev1.Volume, 21) }, overflow.TooManyVolumes},
		"a node selector (T10)": {func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"workload_type": "spot"} }, overflow.AsksForOtherNode},
		"gated":                 {func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "wait"}} }, overflow.Gated},
		"bound":                 {func(p *corev1.Pod) { p.Spec.NodeName = "node" }, overflow.Gone},
		"being deleted":         {func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }, overflow.Gone},
	} {
		for _, key := range []string{ackKey, selfKey} {
			t.Run(name+"/"+key, func(t *testing.T) {
				pod := agent()
				test.change(pod)
				got := policyOf(key).Eligible(pod, virtualNode(key))
				assert.Equal(t, test.want, got)
				if got != "" {
					assert.NotEmpty(t, got.String(), "a refusal is told in words")
				}
			})
		}
	}
}

// What a policy adds is what Eligible then finds, so that nothing is patched twice.
func TestTolerationIsAddedOnce(t *testing.T) {
	for _, key := range []string{ackKey, selfKey} {
		policy, node, pod := policyOf(key), virtualNode(key), agent()
		require.Empty(t, policy.Eligible(pod, node))
		pod.Spec.Tolerations = append(pod.Spec.Tolerations, policy.Toleration())
		assert.Equal(t, overflow.Tolerates, policy.Eligible(pod, node))
	}
}

// The toleration is for one taint only: a pod is not sent where another one keeps it off.
func TestAnotherTaintOfTheVirtualNode(t *testing.T) {
	policy, node, pod := policyOf(ackKey), virtualNode(ackKey), agent()
	another := corev1.Taint{Key: "node.kubernetes.io/unschedulable", Effect: corev1.TaintEffectNoSchedule}
	node.Spec.Taints = append(node.Spec.Taints, another)
	assert.Equal(t, overflow.RepelledByTaint, policy.Eligible(pod, node))
	node.Spec.Taints[1].Effect = corev1.TaintEffectPreferNoSchedule
	assert.Empty(t, policy.Eligible(pod, node))
	node.Spec.Taints[1] = another
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, corev1.Toleration{Key: another.Key, Operator: corev1.TolerationOpExists})
	assert.Empty(t, policy.Eligible(pod, node))
}

func TestDeploymentsWhenAsked(t *testing.T) {
	policy, pod := policyOf(ackKey), agent()
	ownedBy("ReplicaSet")(pod)
	policy.Deployments = true
	assert.Empty(t, policy.Eligible(pod, virtualNode(ackKey)))
	ownedBy("DaemonSet")(pod)
	assert.Equal(t, overflow.OwnedByDaemonSet, policy.Eligible(pod, virtualNode(ackKey)))
}
