package oracle

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/simulations/engine"
)

// Kind is a kind of event.
type Kind string

// The kinds of events that are compared.
const (
	ScaleUp  Kind = "scale-up"
	Delete   Kind = "delete"
	Decrease Kind = "decrease"
	Ready    Kind = "ready"
	Removed  Kind = "removed"
	Taint    Kind = "taint"
)

// Event is something that cluster-autoscaler or the cloud did.
type Event struct {
	At    time.Duration
	Kind  Kind
	Group string
	Nodes int
	// Of says more, such as which nodes; Error what came of it, if nothing good.
	Of, Error string
}

func (e Event) String() string {
	text := fmt.Sprintf("%12s %-8s %-16s %+d%s", e.At.Round(time.Millisecond), e.Kind, e.Group, e.Nodes, e.Of)
	if e.Error != "" {
		text += " (" + e.Error + ")"
	}
	return text
}

func newResult(s engine.Settings) engine.Result {
	r := engine.Result{Builds: make([]engine.BuildResult, len(s.Trace.Builds))}
	for n := range r.Builds {
		r.Builds[n] = engine.BuildResult{Started: engine.Never, Ended: engine.Never, Group: -1, Node: -1}
	}
	for _, g := range s.Groups {
		r.Groups = append(r.Groups, engine.GroupResult{Name: g.Config.Name})
	}
	return r
}

// note adds to the log. mu is held.
func (w *world) note(now time.Time, e Event) {
	e.At = w.since(now)
	w.log = append(w.log, e)
	for n := range w.result.Groups {
		g := &w.result.Groups[n]
		if g.Name == e.Group && e.Kind == ScaleUp && e.Error == "" {
			g.ScaleUps++
		}
	}
}

func (w *world) recordCreated(m *machine) {
	at := w.since(m.created)
	w.result.Nodes = append(w.result.Nodes, engine.NodeResult{
		Group: int32(m.group), Requested: at, Created: at, Ready: engine.Never, Removed: engine.Never,
	})
	g := &w.result.Groups[m.group]
	g.NodesAdded++
	alive := 0
	for _, o := range w.machines {
		if o.group == m.group {
			alive++
		}
	}
	g.Peak = max(g.Peak, alive)
}

func (w *world) recordReady(m *machine, now time.Time) {
	w.result.Nodes[m.record].Ready = w.since(now)
	w.note(now, Event{Kind: Ready, Group: w.result.Groups[m.group].Name, Nodes: 1, Of: " " + m.node.object.Name})
}

func (w *world) recordRemoved(m *machine, now time.Time) {
	n := &w.result.Nodes[m.record]
	n.Removed, n.Reclaimed = w.since(now), m.told
	g := &w.result.Groups[m.group]
	if m.told {
		g.Reclaimed++
	} else {
		g.NodesRemoved++
	}
	w.note(now, Event{Kind: Removed, Group: g.Name, Nodes: -1, Of: " " + m.id})
}

func (w *world) recordBound(p *pod, started, now time.Time) {
	n := p.node
	if len(n.pods) == 1 {
		n.busySince = now
	}
	r := &w.result.Nodes[n.machine.record]
	r.Builds++
	b := &w.result.Builds[p.build]
	b.Started, b.Group, b.Node = w.since(started), int32(n.machine.group), int32(n.machine.record)
}

// recordIdle ends a node's busy time when its last pod has left.
func (w *world) recordIdle(n *node, now time.Time) {
	if len(n.pods) == 0 {
		w.result.Nodes[n.machine.record].Busy += now.Sub(n.busySince)
	}
}

func (w *world) recordEnded(p *pod, now time.Time) { w.result.Builds[p.build].Ended = w.since(now) }

func (w *world) recordInterrupted(p *pod) {
	b := &w.result.Builds[p.build]
	b.Interruptions++
	b.Started = engine.Never
	w.result.Groups[p.node.machine.group].Interrupted++
}

// recordTaints notes the taints that an update of a node adds or takes away.
func (w *world) recordTaints(n *node, updated *corev1.Node) {
	group := w.result.Groups[n.machine.group].Name
	for _, t := range updated.Spec.Taints {
		if !hasTaint(n.object, t.Key) {
			w.note(time.Now(), Event{Kind: Taint, Group: group, Nodes: 1, Of: " " + t.Key + " " + n.object.Name})
		}
	}
	for _, t := range n.object.Spec.Taints {
		if !hasTaint(updated, t.Key) {
			w.note(time.Now(), Event{Kind: Taint, Group: group, Nodes: -1, Of: " " + t.Key + " " + n.object.Name})
		}
	}
}

func hasTaint(n *corev1.Node, key string) bool {
	for _, t := range n.Spec.Taints {
		if t.Key == key {
			return true
		}
	}
	return false
}

// conclude adds the nodes' lives up.
func (w *world) conclude(a *autoscaler) Run {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.result.End, w.result.Loops = w.since(now), a.loops
	for _, m := range w.machines {
		if m.node != nil && len(m.node.pods) > 0 {
			w.result.Nodes[m.record].Busy += now.Sub(m.node.busySince)
		}
	}
	for n := range w.result.Nodes {
		node := &w.result.Nodes[n]
		g := &w.result.Groups[node.Group]
		end := node.Removed
		if end == engine.Never {
			end = w.result.End
		}
		ready := node.Ready
		if ready == engine.Never {
			ready = end
		}
		billed := end - node.Created
		g.Billed += billed
		g.Booting += ready - node.Created
		g.Idle += end - ready - node.Busy
		node.Cost = billed.Hours() * w.settings.Groups[node.Group].PricePerHour
		g.Cost += node.Cost
	}
	return Run{Result: w.result, Log: w.log, Failed: a.failed}
}
