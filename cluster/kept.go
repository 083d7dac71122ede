package cluster

import (
	"fmt"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The names of the indexes.
const (
	byNode     = "node"
	byInstance = "instance"
)

// keptPod and keptNode are what the cache holds: our own words, and of Kubernetes' only
// what makes an object's key and version. A build's pod is 5 to 20 kB as it comes.
type keptPod struct {
	metav1.ObjectMeta
	pod cloudprovider.Pod
}

type keptNode struct {
	metav1.ObjectMeta
	node cloudprovider.ClusterNode
}

func podOf(o any) *cloudprovider.Pod { return &o.(*keptPod).pod }

func nodeOfPod(o any) ([]string, error) { return []string{podOf(o).Node}, nil }

func instanceOfNode(o any) ([]string, error) { return []string{o.(*keptNode).node.InstanceID}, nil }

// identity is what an informer needs of an object's metadata.
func identity(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: shared(m.Namespace), Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}
}

// keepPod is a cache.TransformFunc; what it has made it leaves alone.
func keepPod(o any) (any, error) {
	switch o := o.(type) {
	case *keptPod, cache.DeletedFinalStateUnknown:
		return o, nil
	case *corev1.Pod:
		return &keptPod{ObjectMeta: identity(o.ObjectMeta), pod: toPod(o)}, nil
	}
	return nil, fmt.Errorf("keep pod: a %T is none", o)
}

// keepNode is the same for nodes.
func keepNode(o any) (any, error) {
	switch o := o.(type) {
	case *keptNode, cache.DeletedFinalStateUnknown:
		return o, nil
	case *corev1.Node:
		return &keptNode{ObjectMeta: identity(o.ObjectMeta), node: toNode(o)}, nil
	}
	return nil, fmt.Errorf("keep node: a %T is none", o)
}

func toPod(o *corev1.Pod) cloudprovider.Pod {
	pod := cloudprovider.Pod{
		Namespace: shared(o.Namespace), Name: o.Name, UID: string(o.UID),
		Node:         shared(o.Spec.NodeName),
		Labels:       sharedKeys(o.Labels),
		Phase:        corev1.PodPhase(shared(string(o.Status.Phase))),
		Leaving:      o.DeletionTimestamp != nil,
		Created:      o.CreationTimestamp.Time,
		NodeSelector: sharedKeys(o.Spec.NodeSelector),
	}
	_, pod.Mirror = o.Annotations[corev1.MirrorPodAnnotationKey]
	_, pod.Reclaimed = o.Annotations[cloudprovider.AnnotationReclaimed]
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		pod.OwnerKind, pod.OwnerName = shared(owner.Kind), shared(owner.Name)
	}
	if o.Spec.Priority != nil {
		pod.Priority = *o.Spec.Priority
	}
	if o.Status.StartTime != nil {
		pod.Started = o.Status.StartTime.Time
	}
	for _, c := range o.Status.Conditions {
		if c.Type != corev1.PodScheduled {
			continue
		}
		if c.Status == corev1.ConditionTrue {
			pod.Bound = c.LastTransitionTime.Time
		} else {
			pod.Unschedulable = shared(c.Message)
		}
	}
	pod.MilliCPU, pod.MemoryBytes, pod.GPUs = demandOf(o.Spec, requestsOf)
	pod.LimitMilliCPU, pod.LimitMemoryBytes, _ = demandOf(o.Spec, limitsOf)
	pod.Virtual = virtualAnnotations(o.Annotations)
	pod.Images, pod.ImagesKnown = imagesOf(o.Status)
	return pod
}

// requestsOf is what a container asks for: processors, memory, GPUs.
func requestsOf(r corev1.ResourceRequirements) [3]int64 { return amounts(r.Requests) }

// limitsOf is what a container can use at most, and what it asks for where that is not
// said.
func limitsOf(r corev1.ResourceRequirements) [3]int64 {
	out, limits := amounts(r.Requests), amounts(r.Limits)
	for n := range out {
		out[n] = max(out[n], limits[n])
	}
	return out
}

func amounts(r corev1.ResourceList) [3]int64 {
	gpus := r[cloudprovider.GPUResource]
	return [3]int64{r.Cpu().MilliValue(), r.Memory().Value(), gpus.Value()}
}

// virtualAnnotations are those that a virtual node heeds.
func virtualAnnotations(annotations map[string]string) map[string]string {
	var out map[string]string
	for key, value := range annotations {
		if strings.HasPrefix(key, cloudprovider.AnnotationsVirtual) {
			if out == nil {
				out = map[string]string{}
			}
			out[shared(key)] = shared(value)
		}
	}
	return out
}

// demandOf sums up what the containers need: of the init containers that end the largest
// counts, those that stay count with the others.
func demandOf(spec corev1.PodSpec, of func(corev1.ResourceRequirements) [3]int64) (milliCPU, memory, gpus int64) {
	var most [3]int64
	var sum [3]int64
	for _, c := range spec.InitContainers {
		stays := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		for n, v := range of(c.Resources) {
			if stays {
				sum[n] += v
				most[n] = max(most[n], sum[n])
			} else {
				most[n] = max(most[n], sum[n]+v)
			}
		}
	}
	for _, c := range spec.Containers {
		for n, v := range of(c.Resources) {
			sum[n] += v
		}
	}
	for n := range sum {
		sum[n] = max(sum[n], most[n])
	}
	return sum[0] + spec.Overhead.Cpu().MilliValue(), sum[1] + spec.Overhead.Memory().Value(), sum[2]
}

func toNode(o *corev1.Node) cloudprovider.ClusterNode {
	gpus := o.Status.Allocatable[cloudprovider.GPUResource]
	node := cloudprovider.ClusterNode{
		Name: o.Name, UID: string(o.UID), Version: o.ResourceVersion,
		ProviderID: o.Spec.ProviderID,
		Created:    o.CreationTimestamp.Time,
		Ready:      corev1.ConditionUnknown,
		ReadySince: o.CreationTimestamp.Time,
		Leaving:    o.DeletionTimestamp != nil,
		Labels:     sharedKeys(o.Labels),
		Taints:     o.Spec.Taints,

		Unschedulable: o.Spec.Unschedulable,
		Closed:        shared(o.Annotations[cloudprovider.AnnotationClosed]),

		MilliCPU:    o.Status.Allocatable.Cpu().MilliValue(),
		MemoryBytes: o.Status.Allocatable.Memory().Value(),
		GPUs:        gpus.Value(),
	}
	if id, _, err := cloudprovider.ParseProviderID(o.Spec.ProviderID); err == nil {
		node.InstanceID = id.InstanceID
	}
	for _, c := range o.Status.Conditions {
		switch c.Type {
		case corev1.NodeReady:
			node.Ready, node.ReadySince = c.Status, c.LastTransitionTime.Time
		case cloudprovider.ConditionInstanceExpired:
			node.Expiring = c.Status == corev1.ConditionTrue
		}
	}
	return node
}

// shared keeps one copy of a string that many objects have.
func shared(s string) string { return unique.Make(s).Value() }

// sharedKeys is a copy of the map whose keys are shared.
func sharedKeys(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[shared(k)] = v
	}
	return out
}
