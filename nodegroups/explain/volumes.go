package explain

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Claim is a claim for a volume that a pod names.
type Claim struct {
	// Name is namespace/name.
	Name string
	// Missing: there is no such claim. Unread says why it or its volume could not be
	// read; empty: it was.
	Missing bool
	Unread  string
	// Volume it is bound to, empty while it is to none, and Nodes those on which that can
	// be used; nil: on all.
	Volume string
	Nodes  *corev1.NodeSelector
}

// ClaimNames are the names, without namespace, of the claims that the pod needs.
func ClaimNames(pod *corev1.Pod) []string {
	var names []string
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, pod.Name+"-"+v.Name)
		}
	}
	return names
}

// claims are those of the pod that were asked about.
func (f Facts) claims(pod *corev1.Pod) []Claim {
	var out []Claim
	for _, name := range ClaimNames(pod) {
		for _, c := range f.Claims {
			if c.Name == pod.Namespace+"/"+name {
				out = append(out, c)
			}
		}
	}
	return out
}

// lacksClaim says which claim the pod waits for that nobody has made; empty: none. One
// of the pod's own is made by a controller in a moment.
func (f Facts) lacksClaim(pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		name := pod.Namespace + "/" + v.PersistentVolumeClaim.ClaimName
		if slices.ContainsFunc(f.Claims, func(c Claim) bool { return c.Name == name && c.Missing }) {
			return name
		}
	}
	return ""
}

// tied returns what keeps the pod off nodes with the labels because a volume of its
// cannot be used there.
func (f Facts) tied(pod *corev1.Pod, labels map[string]string) []Obstacle {
	var out []Obstacle
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "new", Labels: labels}}
	for _, c := range f.claims(pod) {
		if c.Nodes == nil {
			continue
		}
		selector, err := nodeaffinity.NewNodeSelector(c.Nodes)
		switch {
		case err != nil:
			out = append(out, Obstacle{Volume, fmt.Sprintf("the nodes of volume %s cannot be read: %v", c.Volume, err)})
		case !selector.Match(node):
			out = append(out, Obstacle{Volume, fmt.Sprintf("volume %s of the pod's claim %s can be used on nodes with %s only", c.Volume, c.Name, selectorText(c.Nodes))})
		}
	}
	return out
}

// unread says of which claims nothing is known.
func (f Facts) unread(pod *corev1.Pod) []string {
	var out []string
	for _, c := range f.claims(pod) {
		if c.Unread != "" {
			out = append(out, fmt.Sprintf("buildpool: on which nodes the volume of claim %s can be used was not looked at: %s", c.Name, c.Unread))
		}
	}
	return out
}
