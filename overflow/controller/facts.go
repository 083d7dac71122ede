package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
)

// Cluster is what the controller asks of the Kubernetes cluster. Errors of what reads
// and writes are the apiserver's.
type Cluster interface {
	// Current is nil while what the cluster is seen as is what it is;
	// cloudprovider.ErrClusterUnseen says why it is not.
	Current() error
	Nodes() []*cloudprovider.ClusterNode
	// PodsOn returns the pods bound to the node, for "" those that wait, from memory.
	PodsOn(node string) []*cloudprovider.Pod
	// Said returns when cluster-autoscaler last said of the pod that it scales up for it,
	// and when that no group helps; zero: it has not.
	Said(podUID string) (triggered, notTriggered time.Time)

	// Waiting and Bound read the pods that wait for a node, and those that are bound to
	// one and have not ended.
	Waiting(ctx context.Context) ([]corev1.Pod, error)
	Bound(ctx context.Context, node string) ([]corev1.Pod, error)

	// Tolerate and Annotate change the pod if it still is as it was read;
	// cloudprovider.ErrPodChanged says that it is not.
	Tolerate(ctx context.Context, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error
	Annotate(ctx context.Context, pod *corev1.Pod, annotations map[string]string) error
	// Tell writes an event on the pod.
	Tell(pod *corev1.Pod, reason, sentence string)
}

// Group is what is known of a node group.
type Group struct {
	Name, Class string
	// Template is what a new node would be; nil: not known, so that no pod is the
	// group's.
	Template *cloudprovider.NodeTemplate
	// Blocked is why it cannot grow: overflow.MovedAtMax, MovedOutOfStock or
	// MovedByBackoff; empty: it can.
	Blocked overflow.Reason
	// Boot is how long a node takes to join; 0: not known.
	Boot time.Duration
	// Coming are nodes that are wanted, also those that have joined where whoever says so
	// does not know.
	Coming []Coming
}

// Coming is a node that is on its way.
type Coming struct {
	// InstanceID is empty while there is no instance.
	InstanceID string
	// Since is when it was asked for.
	Since time.Time
}

// Observer is told what comes of it, for metrics.
type Observer interface {
	// Moved: a build may run on the virtual node from now on.
	Moved(class string, why overflow.Reason)
	// Refused: a build stays, told once of each build and reason.
	Refused(class string, why overflow.Reason)
	// Live is how many pods of the class are on the virtual node, and what they cost per
	// hour; negative: not known.
	Live(class string, pods int, costPerHour float64)
	// Saved is how much sooner a build ran on the virtual node than a real node is
	// predicted to have been there.
	Saved(class string, wait time.Duration)
}
