package report

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/simulations/engine"
)

// usagesOf adds up what each group's nodes and builds were.
func usagesOf(settings engine.Settings, result engine.Result) []usage {
	uses := make([]usage, len(settings.Groups))
	for n, did := range result.Groups {
		uses[n].billed, uses[n].idle, uses[n].boot = did.Billed, did.Idle, did.Booting
	}
	for _, node := range result.Nodes {
		if node.Created == engine.Never {
			continue
		}
		u := &uses[node.Group]
		u.nodes++
		u.builds += int(node.Builds)
		u.busy += node.Busy
		ready := readyTime(node, result.End).Seconds()
		allocatable := settings.Groups[node.Group].Template.Allocatable
		u.offeredCPU += ready * float64(allocatable.Cpu().MilliValue())
		u.offeredMemory += ready * float64(allocatable.Memory().Value())
	}
	for n, b := range result.Builds {
		if b.Group < 0 || b.Started == engine.Never {
			continue
		}
		u := &uses[b.Group]
		until := b.Ended
		if until == engine.Never {
			until = result.End
		} else {
			u.done++
		}
		shape := settings.Trace.Shapes[settings.Trace.Builds[n].Shape]
		ran := (until - b.Started).Seconds()
		u.usedCPU += ran * float64(shape.MilliCPU)
		u.usedMemory += ran * float64(shape.MemoryBytes)
	}
	return uses
}

// readyTime of a node, up to the end of the run.
func readyTime(n engine.NodeResult, end time.Duration) time.Duration {
	if n.Ready == engine.Never {
		return 0
	}
	return max(goneAt(n, end)-n.Ready, 0)
}

// goneAt is when a node was no longer billed, or the end of the run.
func goneAt(n engine.NodeResult, end time.Duration) time.Duration {
	if n.Removed == engine.Never {
		return end
	}
	return n.Removed
}

// quantities of a node's resources, as Kubernetes writes them.
func quantities(list corev1.ResourceList) map[string]string {
	out := make(map[string]string, len(list))
	for name, quantity := range list {
		out[string(name)] = quantity.String()
	}
	return out
}
