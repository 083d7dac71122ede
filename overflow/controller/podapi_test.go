package controller_test

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"encoding/json"
)

// podAPI serves pods as an apiserver does: field selectors are heeded, each write makes
// a new version, and a patch that names another version than the pod's is a conflict.
type podAPI struct {
	client  *fake.Clientset
	pods    []*corev1.Pod // in the order in which they were made
	version int
}

func newPodAPI() *podAPI {
	a := &podAPI{client: &fake.Clientset{}}
	a.client.AddReactor("list", "pods", a.list)
	a.client.AddReactor("patch", "pods", a.patch)
	return a
}

// put writes a pod, a new one or one of that name.
func (a *podAPI) put(pod *corev1.Pod) {
	a.version++
	pod = pod.DeepCopy()
	pod.ResourceVersion = fmt.Sprint(a.version)
	if n := a.find(pod.Namespace, pod.Name); n >= 0 {
		a.pods[n] = pod
		return
	}
	a.pods = append(a.pods, pod)
}

func (a *podAPI) remove(pod *corev1.Pod) {
	a.pods = slices.DeleteFunc(a.pods, func(p *corev1.Pod) bool { return p.UID == pod.UID })
}

func (a *podAPI) find(namespace, name string) int {
	return slices.IndexFunc(a.pods, func(p *corev1.Pod) bool { return p.Namespace == namespace && p.Name == name })
}

// all are copies of the pods.
func (a *podAPI) all() []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range a.pods {
		out = append(out, p.DeepCopy())
	}
	return out
}

func (a *podAPI) on(node string) (out []*corev1.Pod) {
	for _, p := range a.pods {
		if p.Spec.NodeName == node {
			out = append(out, p)
		}
	}
	return out
}

func (a *podAPI) list(action clienttesting.Action) (bool, runtime.Object, error) {
	selector := action.(clienttesting.ListActionImpl).ListRestrictions.Fields
	out := &corev1.PodList{}
	for _, p := range a.pods {
		if selector.Matches(fields.Set{"spec.nodeName": p.Spec.NodeName, "status.phase": string(p.Status.Phase)}) {
			out.Items = append(out.Items, *p.DeepCopy())
		}
	}
	return true, out, nil
}

func (a *podAPI) patch(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchActionImpl)
	n := a.find(patch.Namespace, patch.Name)
	if n < 0 {
		return true, nil, apierrors.NewNotFound(corev1.Resource("pods"), patch.Name)
	}
	var asked []struct {
		Path  string
		Value any
	}
	if err := json.Unmarshal(patch.Patch, &asked); err != nil {
		return true, nil, err
	}
	for _, o := range asked {
		if strings.HasSuffix(o.Path, "/resourceVersion") && o.Value != a.pods[n].ResourceVersion {
			return true, nil, apierrors.NewConflict(corev1.Resource("pods"), patch.Name, fmt.Errorf("it is at %s", a.pods[n].ResourceVersion))
		}
	}
	tracker := clienttesting.NewObjectTracker(scheme.Scheme, scheme.Codecs.UniversalDecoder())
	if err := tracker.Add(a.pods[n].DeepCopy()); err != nil {
		return true, nil, err
	}
	_, changed, err := clienttesting.ObjectReaction(tracker)(action)
	if err != nil {
		return true, nil, err
	}
	a.put(changed.(*corev1.Pod))
	return true, changed, nil
}
