package oracle

import (
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
)

// namespace of all builds.
const namespace = "builds"

// safeToEvict is cluster-autoscaler's annotation that keeps it from draining a pod.
const safeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"

// shape is the pod that builds of one shape have.
type shape struct {
	requests    resources
	image       string
	spec        corev1.PodSpec
	annotations map[string]string
	job         *batchv1.Job // that owns the pods; nil: bare pods
}

func newShape(s engine.Settings, index int) shape {
	of := s.Trace.Shapes[index]
	list := corev1.ResourceList{} // without what is not asked for: a request of 0 counts as one
	if of.MilliCPU > 0 {
		list[corev1.ResourceCPU] = *resource.NewMilliQuantity(of.MilliCPU, resource.DecimalSI)
	}
	if of.MemoryBytes > 0 {
		list[corev1.ResourceMemory] = *resource.NewQuantity(of.MemoryBytes, resource.BinarySI)
	}
	if of.GPUs > 0 {
		list[cloudprovider.GPUResource] = *resource.NewQuantity(of.GPUs, resource.DecimalSI)
	}
	out := shape{
		requests: resources{milliCPU: of.MilliCPU, memory: of.MemoryBytes, gpus: of.GPUs, pods: 1},
		image:    of.Image,
		spec: corev1.PodSpec{
			Containers:    []corev1.Container{{Name: "build", Image: of.Image, Resources: corev1.ResourceRequirements{Requests: list, Limits: list}}},
			RestartPolicy: corev1.RestartPolicyNever, SchedulerName: corev1.DefaultSchedulerName,
			NodeSelector: of.Labels, Affinity: onClasses(of.Classes), Tolerations: tolerations(s.Groups, of.Classes),
		},
	}
	if s.Autoscaler.EvictableBuilds {
		out.job = &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("shape-%d", index), Namespace: namespace, UID: types.UID(fmt.Sprintf("job-%d", index)),
		}}
	} else {
		out.annotations = map[string]string{safeToEvict: "false"}
	}
	return out
}

func onClasses(classes []string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{
				Key: cloudprovider.LabelClass, Operator: corev1.NodeSelectorOpIn, Values: classes,
			}},
		}}},
	}}
}

// tolerations of a build are for all taints of the classes it may run on.
func tolerations(groups []engine.Group, classes []string) []corev1.Toleration {
	var out []corev1.Toleration
	for _, g := range groups {
		if !slices.Contains(classes, string(g.Config.Class)) {
			continue
		}
		for _, t := range g.Template.Taints {
			tolerated := corev1.Toleration{Key: t.Key, Operator: corev1.TolerationOpEqual, Value: t.Value, Effect: t.Effect}
			if !slices.Contains(out, tolerated) {
				out = append(out, tolerated)
			}
		}
	}
	return out
}

func (s *shape) newPod(name string, now time.Time) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: namespace, UID: types.UID(name), CreationTimestamp: seconds(now), Annotations: s.annotations,
		},
		Spec:   s.spec,
		Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	if s.job != nil {
		controls := true
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: s.job.Name, UID: s.job.UID, Controller: &controls}}
	}
	return p
}
