package timeline

import "time"

// Phase is a part of the life of a build or of its node.
type Phase string

// The phases of a build's pod.
const (
	// Decide: from the pod's creation until a scale-up of its group was accepted, if its
	// node came of one since.
	Decide Phase = "decide"
	// Wait: from the pod's creation until it is bound to a node.
	Wait Phase = "wait"
	// Bind: from the moment at which both the pod and its Ready node were there until it
	// is bound.
	Bind Phase = "bind"
	// Start: from then until its containers run: volumes and images.
	Start Phase = "start"
	// Image: the part of Start in which its containers wait for their images, where the
	// node's kubelet tells.
	Image Phase = "image"
	// Run: until it has ended or gone.
	Run Phase = "run"
)

// The phases of a node.
const (
	// Create: from the accepted scale-up until the cloud created the instance.
	Create Phase = "create"
	// Register: until its node is there.
	Register Phase = "register"
	// Ready: until that is Ready.
	Ready Phase = "ready"
	// GPU: from there until its GPUs can be asked for.
	GPU Phase = "gpu"
	// Idle: from the end of its last build until it is gone.
	Idle Phase = "idle"
)

// Phases are all of them, in the order of a life.
var Phases = []Phase{Decide, Create, Register, Ready, GPU, Wait, Bind, Start, Image, Run, Idle}

// Birth is what the provider knows of an instance.
type Birth struct {
	Group string
	// Asked is when the scale-up that made it was accepted; zero: before our start, or
	// by somebody else. Created is when the cloud created it.
	Asked, Created time.Time
	// Again: it had been stopped, and was started then, not created.
	Again bool
}

// made is what the cloud did.
func (b Birth) made() string {
	if b.Again {
		return "started"
	}
	return "created"
}

// Listener is told what was measured. It must not wait for anything.
type Listener interface {
	// Passed: a build or node of the group spent so long in the phase.
	Passed(group string, phase Phase, took time.Duration)
	// Started: a build of the group runs, and its pod waited for that so long in all.
	Started(group string, waited time.Duration)
	// Tell says a sentence about a pod (namespace and name) or a node (name only), with a
	// reason in UpperCamelCase.
	Tell(about Object, reason, sentence string)
}

// Object is what a sentence is about. Namespace is empty for a node.
type Object struct{ Namespace, Name, UID string }
