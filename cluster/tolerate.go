package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cloudprovider"
)

// tolerate adds a toleration, and annotations that the pod does not have yet, to a pod
// as it was read. It changes nothing of a pod that has been written since, by whomever:
// of two that decide the same at once, one gets
// cloudprovider.ErrPodChanged.
func tolerate(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error {
	patch := append(asRead(pod), addToleration(pod, toleration))
	if err := patchPod(ctx, client, pod, append(patch, addAnnotations(pod, annotations)...)); err != nil {
		return fmt.Errorf("add a toleration to pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

// annotate adds annotations that the pod does not have yet; like tolerate it changes
// nothing of a pod that has been written since.
func annotate(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, annotations map[string]string) error {
	if err := patchPod(ctx, client, pod, append(asRead(pod), addAnnotations(pod, annotations)...)); err != nil {
		return fmt.Errorf("annotate pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return nil
}

func patchPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, patch []operation) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.JSONPatchType, body, metav1.PatchOptions{})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return fmt.Errorf("%w: %w", cloudprovider.ErrPodChanged, err)
	}
	return err
}

// operation is one of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// asRead makes a patch apply to the pod as it was read and to no other: the apiserver
// compares the version that a patch writes, and answers Conflict. A failed "test" it
// would call Invalid, without a word why. No two pods of a name ever share a version.
func asRead(pod *corev1.Pod) []operation {
	return []operation{{"replace", "/metadata/resourceVersion", pod.ResourceVersion}}
}

func addToleration(pod *corev1.Pod, toleration corev1.Toleration) operation {
	if len(pod.Spec.Tolerations) == 0 {
		return operation{"add", "/spec/tolerations", []corev1.Toleration{toleration}}
	}
	return operation{"add", "/spec/tolerations/-", toleration}
}

func addAnnotations(pod *corev1.Pod, annotations map[string]string) []operation {
	missing := map[string]string{}
	for key, value := range annotations {
		if _, has := pod.Annotations[key]; !has {
			missing[key] = value
		}
	}
	if len(pod.Annotations) == 0 && len(missing) > 0 {
		return []operation{{"add", "/metadata/annotations", missing}}
	}
	var patch []operation
	for _, key := range slices.Sorted(maps.Keys(missing)) {
		patch = append(patch, operation{"add", "/metadata/annotations/" + pointer.Replace(key), missing[key]})
	}
	return patch
}

// pointer escapes a key for a JSON pointer (RFC 6901).
var pointer = strings.NewReplacer("~", "~0", "/", "~1")
