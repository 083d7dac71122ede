package cloudprovider

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Provider is what cluster-autoscaler (CA) asks of us: the externalgrpc contract
// without its wire. All methods are safe for concurrent use.
//
// The reading methods answer from memory, never wait for the cloud, and return
// ErrNotReady until the first successful Refresh; every method that takes a
// group ID returns ErrGroupNotFound for a name it does not serve.
type Provider interface {
	// Refresh reads the cloud once. When the cloud cannot be read it keeps serving
	// the last good snapshot and returns nil; it fails only while there is none.
	Refresh(ctx context.Context) error

	// NodeGroups returns every group served, in the order of the configuration.
	NodeGroups() ([]NodeGroup, error)

	// NodeGroupForNode returns the group that owns the node. It returns
	// ErrNotManaged for any node that is not one of ours: foreign, virtual,
	// without a provider ID, or already gone.
	NodeGroupForNode(node Node) (NodeGroup, error)

	// TargetSize returns how many nodes the group is to have: our own target, which
	// counts placeholders until CA has deleted them.
	TargetSize(groupID string) (int, error)

	// Instances returns what exists or is being created in the group, and a
	// placeholder for each instance the cloud failed to create.
	Instances(groupID string) ([]InstanceStatus, error)

	// IncreaseSize raises the target by delta, at least 1. The new target is visible
	// before it returns. Errors: ErrInvalidArgument, ErrAboveMax, ErrGroupInactive,
	// and whatever the cloud's write returned.
	IncreaseSize(ctx context.Context, groupID string, delta int) error

	// DeleteNodes removes exactly these nodes and lowers the target by as many as
	// really left. A node that is already gone counts as deleted, without lowering
	// the target. Errors: ErrBelowMin, ErrNotManaged, and the cloud's.
	DeleteNodes(ctx context.Context, groupID string, nodes []Node) error

	// DecreaseTargetSize lowers the target by -delta without removing an instance:
	// it stops at the number of instances that exist. Errors: ErrInvalidArgument
	// unless delta < 0, and the cloud's.
	DecreaseTargetSize(ctx context.Context, groupID string, delta int) error

	// TemplateNode returns the node that the group would add now. It never returns
	// an empty template: ErrNoTemplate says why there is none.
	TemplateNode(groupID string) (NodeTemplate, error)

	// Options returns the options the group sets, on top of CA's defaults; ok is
	// false when the group sets none, and CA's defaults hold.
	Options(groupID string, defaults Options) (options Options, ok bool, err error)

	// PricePerHour returns what a node of the group costs, and how that is known.
	// ErrNoPrice says why it is not known.
	PricePerHour(groupID string) (Price, error)

	// NodePrice returns what running the node from start to end costs, all nodes in
	// one currency. The node may be CA's template of a group: a generated name and the
	// group's labels. Errors: ErrNoPrice, ErrNotManaged, and ErrInvalidArgument unless
	// start is before end.
	NodePrice(node Node, start, end time.Time) (float64, error)

	// PodPrice returns the least that a pod with these requests costs from start to
	// end on any group, in NodePrice's currency. Errors: ErrNoPrice, and
	// ErrInvalidArgument unless start is before end.
	PodPrice(requests corev1.ResourceList, start, end time.Time) (float64, error)

	// GPUs returns the node label that names a GPU type, and every type in use.
	GPUs() GPUs
}

// NodeGroup is a group as CA sees it.
type NodeGroup struct {
	// ID is the group's name in the configuration.
	ID string
	// Min and Max bound the target as CA is to keep it: floors included.
	Min, Max int
	// Debug is one line for CA's log.
	Debug string
}

// Node is the part of a Kubernetes node that CA sends.
type Node struct {
	Name        string
	ProviderID  string
	Labels      map[string]string
	Annotations map[string]string
}

// FakeNodeReason is CA's annotation on a node that stands for an instance without
// a Kubernetes node: "unregistered" or "create-error".
const FakeNodeReason = "k8s.io/cluster-autoscaler/fake-node-reason"

// Fake reports whether the node is CA's stand-in for an instance that has none.
func (n Node) Fake() bool { return n.Annotations[FakeNodeReason] != "" }

// LabelNodeType with the value NodeTypeVirtual marks a virtual node: one of a virtual
// kubelet, behind which there is no machine. By this label alone CA leaves it out of
// its limits on cores and memory.
const (
	LabelNodeType   = "type"
	NodeTypeVirtual = "virtual-kubelet"
)

// Virtual reports whether the node is a virtual one.
func (n Node) Virtual() bool { return n.Labels[LabelNodeType] == NodeTypeVirtual }

// InstanceState is an instance's state as CA counts it.
type InstanceState int

// The states of the externalgrpc contract.
const (
	Running InstanceState = iota + 1
	Creating
	Deleting
)

func (s InstanceState) String() string {
	switch s {
	case Running:
		return "running"
	case Creating:
		return "creating"
	case Deleting:
		return "deleting"
	}
	return "unknown"
}

// InstanceStatus is one line of a group's node list as CA sees it.
type InstanceStatus struct {
	// ID equals spec.providerID of the instance's node, letter for letter; for a
	// placeholder it is an ID no node will ever have.
	ID    string
	State InstanceState
	// Failure is set on a placeholder only.
	Failure *Failure
}

// FailureClass tells CA whether another attempt elsewhere makes sense.
type FailureClass int

// The classes of CA's InstanceErrorInfo, with the numbers of its wire.
const (
	OutOfResources FailureClass = 1
	OtherFailure   FailureClass = 99
)

// Failure says why an instance was not created.
type Failure struct {
	Class   FailureClass
	Code    string
	Message string
}

// Options are a group's autoscaling options. The durations of a client that did
// not send them are zero.
type Options struct {
	ScaleDownUtilizationThreshold    float64
	ScaleDownGPUUtilizationThreshold float64
	ScaleDownUnneededTime            time.Duration
	ScaleDownUnreadyTime             time.Duration
	MaxNodeProvisionTime             time.Duration
	IgnoreDaemonSetsUtilization      bool
	// AllowWithCA135 is no option of CA: it says that the group's options may be
	// answered to CA 1.35 and newer, which take a node's time to start for 0 whenever
	// they get any (autoscaler#10245).
	AllowWithCA135 bool
}

// GPUs names the label and the types of the GPU groups.
type GPUs struct {
	Label string
	Types []string
}
