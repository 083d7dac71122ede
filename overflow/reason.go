package overflow

// Reason says why a build moves or stays. Its values are those of metrics' labels.
type Reason string

// Why a build moves.
const (
	MovedByAge        Reason = "age"
	MovedByPrediction Reason = "predicted_late"
	MovedAtMax        Reason = "at_max"
	MovedOutOfStock   Reason = "out_of_stock"
	MovedByBackoff    Reason = "backoff"
	// MovedNotTriggered: cluster-autoscaler said that no group helps.
	MovedNotTriggered Reason = "not_triggered"
)

// Why a build may not move at all.
const (
	NotSelected       Reason = "not_selected"
	WrongNamespace    Reason = "namespace"
	OwnedByDaemonSet  Reason = "daemon_set"
	OwnedByDeployment Reason = "deployment"
	UsesHostPath      Reason = "host_path"
	UsesHostNetwork   Reason = "host_network"
	UsesHostPort      Reason = "host_port"
	IsPrivileged      Reason = "privileged"
	TooManyContainers Reason = "too_many_containers"
	TooManyVolumes    Reason = "too_many_volumes"
	TooLarge          Reason = "too_large"
	// AsksForOtherNode: its node selector or affinity does not match the virtual node.
	AsksForOtherNode Reason = "node_affinity"
	// RepelledByTaint: it would not tolerate another taint of the virtual node.
	RepelledByTaint Reason = "taint"
	// NoVirtualNode: there is none.
	NoVirtualNode Reason = "no_virtual_node"
	// Gated: it is not to be scheduled yet.
	Gated Reason = "gated"
	// Gone: it is bound, ended or being deleted.
	Gone Reason = "not_waiting"
	// Tolerates: it may be placed on the virtual node already.
	Tolerates Reason = "tolerates"
)

// Why a build that may move stays for now.
const (
	// AwaitsNode: it triggered a scale-up whose node is not late.
	AwaitsNode Reason = "node_on_its_way"
	// Covered: the nodes that are on their way have room for it.
	Covered     Reason = "covered"
	NotDue      Reason = "not_due"
	AtPodLimit  Reason = "pod_limit"
	AtCostLimit Reason = "cost_limit"
	// CostUnknown: there is a limit on the cost, and what it costs is not known.
	CostUnknown Reason = "cost_unknown"
	AtRateLimit Reason = "rate_limit"
)

var sentences = map[Reason]string{
	MovedByAge:        "it has waited as long as its class allows",
	MovedByPrediction: "a real node is predicted later than its class allows",
	MovedAtMax:        "every node group that could serve it is at its max",
	MovedOutOfStock:   "every node group that could serve it is out of stock",
	MovedByBackoff:    "every node group that could serve it is backed off",
	MovedNotTriggered: "cluster-autoscaler says that no node group helps it",

	NotSelected:       "the pod does not carry the labels that opt in",
	WrongNamespace:    "its namespace is not one of those allowed",
	OwnedByDaemonSet:  "a DaemonSet's pod belongs to its node",
	OwnedByDeployment: "it is a Deployment's, which cluster-autoscaler would then drain onto the virtual node: allow deployments to have that",
	UsesHostPath:      "it mounts a hostPath, and a virtual node has no disk of its own: use an emptyDir",
	UsesHostNetwork:   "it uses the host's network, which a virtual node does not have",
	UsesHostPort:      "it asks for a host port, which a virtual node does not have",
	IsPrivileged:      "a container is privileged, which a virtual node refuses",
	TooManyContainers: "it has more than 20 containers",
	TooManyVolumes:    "it has more than 20 volumes",
	TooLarge:          "it asks for more than 64 vCPU",
	AsksForOtherNode:  "its nodeSelector or required node affinity does not match the virtual node: use nodeAffinity with operator In and the virtual node's value beside the class's",
	RepelledByTaint:   "the virtual node has another taint that it does not tolerate",
	NoVirtualNode:     "there is no virtual node that the class's selector matches",
	Gated:             "it has a scheduling gate",
	Gone:              "it waits for no node",
	Tolerates:         "it tolerates the virtual node already",

	AwaitsNode:  "it triggered a scale-up, and the node is not late yet",
	Covered:     "the nodes that are on their way have room for it",
	NotDue:      "nothing says yet that real nodes come too late",
	AtPodLimit:  "the virtual node holds as many pods as the class allows",
	AtCostLimit: "the pods on the virtual node cost as much per hour as the class allows",
	CostUnknown: "the class limits the cost, and what this pod costs is not known",
	AtRateLimit: "pods are moved no faster than the virtual node can start them",
}

// String is the reason as a sentence without its full stop.
func (r Reason) String() string { return sentences[r] }
