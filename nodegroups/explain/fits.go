package explain

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Fits reports whether the pod would run on an empty node of the template, by the rules
// of the scheduler that Pod explains, but for volumes.
func Fits(pod *corev1.Pod, t *cloudprovider.NodeTemplate) bool {
	return len(unfit(pod, offer{t.Labels, t.Taints, t.Allocatable})) == 0
}

// Owns reports whether a node with the labels looks like one of the group that has the
// class and the template.
func Owns(class string, t *cloudprovider.NodeTemplate, labels map[string]string) bool {
	return Group{Class: class, Template: t}.owns(corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: labels}})
}
