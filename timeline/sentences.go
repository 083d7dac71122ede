package timeline

import (
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// journey tells how a pod came to its new node.
func journey(pod *cloudprovider.Pod, n *cloudprovider.ClusterNode, birth Birth, running time.Time) string {
	return fmt.Sprintf("Waited %s for a new node of node group %s: asked for after %s, %s %s later, joined after another %s, Ready after %s; bound and started within %s%s.",
		short(since(pod.Created, running)), birth.Group, short(since(pod.Created, birth.Asked)), birth.made(), short(since(birth.Asked, birth.Created)),
		short(since(birth.Created, n.Created)), short(since(later(birth.Created, n.Created), n.ReadySince)), short(since(later(pod.Created, n.ReadySince), running)), images(pod))
}

// images tells how much of a start was for images.
func images(pod *cloudprovider.Pod) string {
	if !pod.ImagesKnown {
		return " (how much of that for images its kubelet does not tell)"
	}
	return fmt.Sprintf(", %s of that for images", short(pod.Images))
}

// arrival tells how a node came.
func arrival(n *cloudprovider.ClusterNode, birth Birth) string {
	if birth.Asked.IsZero() {
		return fmt.Sprintf("Instance %s joined node group %s, Ready %s after it was %s.", n.InstanceID, birth.Group, short(since(birth.Created, n.ReadySince)), birth.made())
	}
	return fmt.Sprintf("Instance %s joined node group %s, Ready %s after it was asked for.", n.InstanceID, birth.Group, short(since(birth.Asked, n.ReadySince)))
}

func short(d time.Duration) string { return d.Round(time.Second).String() }
