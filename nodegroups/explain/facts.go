package explain

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Facts are what an explanation is made of.
type Facts struct {
	// Now is when they were collected.
	Now    time.Time
	Server Server
	Groups []Group
	Nodes  []corev1.Node
	// Pods are those that have not ended; of their containers only requests matter.
	Pods []corev1.Pod
	// Events are those on pods that wait, and Claims those that such pods name.
	Events []Event
	Claims []Claim
	// Overflow is nil where the server moves no builds to a virtual node.
	Overflow *Overflow
}

// Server is how the server is that answers cluster-autoscaler.
type Server struct {
	// NotReady says why it is not; empty when it is.
	NotReady string
	// Taken is when the account was read last: at every loop of cluster-autoscaler.
	// Zero: never.
	Taken  time.Time
	DryRun bool
}

// Group is a node group.
type Group struct {
	Name, Class string
	// NotServed and Inactive say why it is not offered to cluster-autoscaler, and why
	// its scaling group would not grow; empty: it is, it would.
	NotServed, Inactive                         string
	Min, Max, Target, Running, Creating, Failed int
	// Floor says what Min comes from, and MaxReason what Max does.
	Floor, MaxReason string
	// Template is what a new node would be; nil for the reason in TemplateProblem.
	Template        *cloudprovider.NodeTemplate
	TemplateProblem string
	// Boot is how long a node takes to join; 0: not known.
	Boot     time.Duration
	Troubles []cloudprovider.Skip
	// Reclaims says which spot instances are being taken back, and how often that happens,
	// each a sentence.
	Reclaims []string
}

// Event is a Kubernetes event on a pod.
type Event struct {
	// Pod is namespace/name.
	Pod, Reason, Message string
	At                   time.Time
}

// Explanation is an answer.
type Explanation struct {
	// Subject is what was asked about.
	Subject string
	// Cause names what it comes down to, and Answer says it in a sentence.
	Cause  Cause
	Answer string
	// When says when it will be otherwise, if that can be told.
	When string
	// Notes are what else there is to know of a group, in sentences.
	Notes []string
	// Groups are the groups one by one, the nearest first.
	Groups []Verdict
	// Said is what others said of it: the scheduler, cluster-autoscaler.
	Said []string
}

// Verdict is what a group is to a pod.
type Verdict struct {
	Group string
	// Obstacles are what stops the group from taking the pod; none: nothing does.
	Obstacles []Obstacle
}

// Obstacle is one thing that stops a group.
type Obstacle struct {
	Cause Cause
	Text  string
}

// Cause is what something comes down to.
type Cause string

// The causes. Those of a pod itself:
const (
	NotWaiting  Cause = "not waiting"
	Gated       Cause = "gated"
	LowPriority Cause = "low priority"
	HasRoom     Cause = "a node has room"
	OnTheWay    Cause = "a node is on its way"
	WillGrow    Cause = "a group will grow"
	// Declined: nothing that is looked at here stops a group, but cluster-autoscaler said
	// that it adds no node.
	Declined   Cause = "cluster-autoscaler declined"
	ServerDown Cause = "the server is not ready"
	NotCalled  Cause = "cluster-autoscaler does not call"
	DryRun     Cause = "dry run"
	NoGroups   Cause = "no groups"
	// CanGrow is of a group that nothing stops.
	CanGrow Cause = "can grow"
)

// Those of a pod and a group, which the pod's owner or the configuration can mend.
const (
	Label   Cause = "label"
	Taint   Cause = "taint"
	Request Cause = "request"
	Volume  Cause = "volume"
)

// Those of a group, which pass or which the account's owner can mend.
const (
	AtMax      Cause = "max"
	OutOfStock Cause = "out of stock"
	Quota      Cause = "quota"
	Failing    Cause = "creations fail"
	Throttled  Cause = "throttled"
	Reclaimed  Cause = "reclaimed"
	Inactive   Cause = "inactive"
	NotServed  Cause = "not served"
	NoTemplate Cause = "no template"
)

// misfits are the causes that lie between a pod and a group: while one stands, whatever
// else is mended is in vain.
var misfits = map[Cause]bool{Label: true, Taint: true, Request: true, Volume: true, NoTemplate: true}
