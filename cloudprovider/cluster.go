package cloudprovider

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// LabelHeadroom is on everything that keeps spare room in a node group, its pods
// included; its value is the group's name.
const LabelHeadroom = "buildpool.io/headroom"

// AnnotationClosed is on a node that we have closed to new builds (cordoned); its value
// says why. What others have closed does not carry it, and is not ours to open.
const AnnotationClosed = "buildpool.io/closed"

// AnnotationReclaimed is on the pod of a build whose node the cloud takes back, for its CI
// system to try it again; its value is when that was announced, by RFC 3339.
const AnnotationReclaimed = "buildpool.io/reclaimed"

// Cluster is what we see of the Kubernetes cluster. It answers from memory, is safe
// for concurrent use, and what it returns must not be changed.
type Cluster interface {
	// Current returns nil while the other methods answer the cluster as it is, but for
	// what happened within the last moment. ErrClusterUnseen says why they do not.
	Current() error

	// Nodes returns every node, in no order.
	Nodes() []*ClusterNode

	// NodesOf returns the nodes whose provider ID names the instance: one, but for an
	// instance that came back under another node name.
	NodesOf(instanceID string) []*ClusterNode

	// PodsOn returns the pods that are bound to the node and have not ended; for "" those
	// that wait for a node.
	PodsOn(nodeName string) []*Pod
}

// NodeDeleter deletes Node objects. It is safe for concurrent use.
type NodeDeleter interface {
	// DeleteNode deletes the node if it still is as it was seen. deleted is false, and no
	// error, if it is gone or has changed since.
	DeleteNode(ctx context.Context, node *ClusterNode) (deleted bool, err error)
}

// TaintToBeDeleted is how cluster-autoscaler closes a node that it is about to delete; its
// value is when, in Unix seconds.
const TaintToBeDeleted = "ToBeDeletedByClusterAutoscaler"

// NodeReopener opens nodes for pods. It is safe for concurrent use.
type NodeReopener interface {
	// ReopenNode takes TaintToBeDeleted from the node and uncordons it, if it still is as
	// it was seen. reopened is false, and no error, if it is gone or has changed since.
	ReopenNode(ctx context.Context, node *ClusterNode) (reopened bool, err error)
}

// ConditionInstanceExpired is the node condition by which the node-problem-detector of
// ACK tells of a spot instance's reclaim notice.
const ConditionInstanceExpired corev1.NodeConditionType = "InstanceExpired"

// ClusterNode is what we keep of a Kubernetes node.
type ClusterNode struct {
	// Version is the object's resource version.
	Name, UID, Version string
	// ProviderID as the node spells it, and the instance that it names; empty if it
	// names none of the cloud's.
	ProviderID, InstanceID string
	Created                time.Time
	// Ready is the node's condition, and ReadySince when it last changed.
	Ready      corev1.ConditionStatus
	ReadySince time.Time
	// Leaving: it is being deleted.
	Leaving bool
	// Expiring: the node's problem detector says that its spot instance is about to be
	// taken back (ConditionInstanceExpired).
	Expiring bool
	// Unschedulable: no pod is bound to it (cordoned). Closed is AnnotationClosed.
	Unschedulable bool
	Closed        string
	Labels        map[string]string
	Taints        []corev1.Taint
	// MilliCPU, MemoryBytes and GPUs are what it can give to pods.
	MilliCPU, MemoryBytes, GPUs int64
}

// Pod is what we keep of a pod.
type Pod struct {
	Namespace, Name, UID string
	// Node it is bound to; empty while it waits for one.
	Node string
	// OwnerKind and OwnerName name its controller; empty if it has none.
	OwnerKind, OwnerName string
	Labels               map[string]string
	// Mirror: it stands for a static pod of a kubelet.
	Mirror bool
	// Reclaimed: it carries AnnotationReclaimed.
	Reclaimed bool
	Phase     corev1.PodPhase
	// Leaving: it is being deleted, or was evicted.
	Leaving  bool
	Priority int32
	// Created, Bound and Started are when it was made, given a node, and taken up by
	// its kubelet; zero: not yet.
	Created, Bound, Started time.Time
	// Images is how long its containers, once they run, had waited for their images, if
	// ImagesKnown: not every kubelet tells, and none does once a container was restarted.
	Images      time.Duration
	ImagesKnown bool
	// Unschedulable is what the scheduler last said of a pod that waits.
	Unschedulable string
	// NodeSelector is what it asks of a node's labels.
	NodeSelector map[string]string
	// MilliCPU, MemoryBytes and GPUs are what it asks for; its init containers run
	// before the others.
	MilliCPU, MemoryBytes, GPUs int64
	// LimitMilliCPU and LimitMemoryBytes are the same of its limits, and of its requests
	// where it has none.
	LimitMilliCPU, LimitMemoryBytes int64
	// Virtual are its annotations for a virtual node (AnnotationsVirtual).
	Virtual map[string]string
}

// AnnotationsVirtual begins the annotations that a virtual node of Alibaba Cloud heeds.
const AnnotationsVirtual = "k8s.aliyun.com/eci-"

// String names the pod as kubectl does.
func (p *Pod) String() string { return p.Namespace + "/" + p.Name }
