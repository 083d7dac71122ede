package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	// silentTime is how long cluster-autoscaler may be silent: some of its longest loops.
	silentTime = 3 * time.Minute
	// freshTime is how old cluster-autoscaler's word on a pod may be: its events of one pod
	// become rare, one in five minutes, after the first 25.
	freshTime = 6 * time.Minute
	// expendable is cluster-autoscaler's --expendable-pods-priority-cutoff: below it no
	// node is added for a pod.
	expendable = -10
)

// Pod says why a pod waits, or that it does not.
func Pod(f Facts, namespace, name string) (Explanation, error) {
	i := slices.IndexFunc(f.Pods, func(p corev1.Pod) bool { return p.Namespace == namespace && p.Name == name })
	if i < 0 {
		return Explanation{}, fmt.Errorf("explain pod %s/%s: there is no such pod, or it has ended", namespace, name)
	}
	pod := &f.Pods[i]
	e := Explanation{Subject: "pod " + namespace + "/" + name, Said: f.said(pod)}
	if cause, answer := notWaiting(pod); cause != "" {
		e.Cause, e.Answer, e.Said = cause, answer, nil
		return e, nil
	}
	e.Groups, e.Notes = f.verdicts(pod), f.overflowNotes(pod)
	f.answer(&e, pod)
	return e, nil
}

// notWaiting says why no node is added for the pod, whatever the groups are.
func notWaiting(pod *corev1.Pod) (Cause, string) {
	switch {
	case ended(pod):
		return NotWaiting, fmt.Sprintf("It has ended: %s.", pod.Status.Phase)
	case pod.DeletionTimestamp != nil:
		return NotWaiting, "It is being deleted."
	case pod.Spec.NodeName != "" && pod.Status.Phase == corev1.PodRunning:
		return NotWaiting, fmt.Sprintf("It does not wait: it runs on node %s.", pod.Spec.NodeName)
	case pod.Spec.NodeName != "":
		return NotWaiting, fmt.Sprintf("It does not wait for a node: it is bound to %s, which pulls its images or starts it%s.", pod.Spec.NodeName, waitingContainers(pod))
	case len(pod.Spec.SchedulingGates) > 0:
		names := make([]string, len(pod.Spec.SchedulingGates))
		for n, g := range pod.Spec.SchedulingGates {
			names[n] = g.Name
		}
		return Gated, fmt.Sprintf("A scheduling gate holds it back (%s): neither the scheduler nor cluster-autoscaler looks at it until whoever set it takes it away.", strings.Join(names, ", "))
	case pod.Spec.Priority != nil && *pod.Spec.Priority < expendable:
		return LowPriority, fmt.Sprintf("Its priority is %d: cluster-autoscaler adds no node for a pod below its --expendable-pods-priority-cutoff, by default %d.", *pod.Spec.Priority, expendable)
	}
	return "", ""
}

// waitingContainers says what the kubelet says of containers that do not run.
func waitingContainers(pod *corev1.Pod) string {
	for _, s := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if w := s.State.Waiting; w != nil && w.Reason != "" {
			return fmt.Sprintf(" (container %s: %s)", s.Name, w.Reason)
		}
	}
	return ""
}

// said are the words of others about the pod, the scheduler's first.
func (f Facts) said(pod *corev1.Pod) []string {
	var out []string
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Message != "" {
			out = append(out, "scheduler: "+c.Message)
		}
	}
	for n, e := range f.heard(pod) {
		if n == 2 {
			break
		}
		out = append(out, fmt.Sprintf("cluster-autoscaler, %s ago: %s: %s", age(f.Now.Sub(e.At)), e.Reason, e.Message))
	}
	return append(out, f.unread(pod)...)
}

// heard are cluster-autoscaler's events on the pod, the newest first.
func (f Facts) heard(pod *corev1.Pod) []Event {
	events := slices.DeleteFunc(slices.Clone(f.Events), func(e Event) bool {
		return e.Pod != pod.Namespace+"/"+pod.Name || e.Reason != declined && e.Reason != "TriggeredScaleUp"
	})
	slices.SortStableFunc(events, func(a, b Event) int { return b.At.Compare(a.At) })
	return events
}

// declined is the reason of cluster-autoscaler's event on a pod that it adds no node for.
const declined = "NotTriggerScaleUp"

// verdicts judges every group, the nearest to taking the pod first.
func (f Facts) verdicts(pod *corev1.Pod) []Verdict {
	var out []Verdict
	for _, g := range f.Groups {
		v := Verdict{Group: g.Name}
		if g.Template != nil {
			v.Obstacles = f.misfit(pod, offer{g.Template.Labels, g.Template.Taints, g.Template.Allocatable})
		}
		v.Obstacles = append(v.Obstacles, g.hindered(f.Now)...)
		out = append(out, v)
	}
	slices.SortStableFunc(out, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(a.distance(), b.distance()), cmp.Compare(len(a.Obstacles), len(b.Obstacles)))
	})
	return out
}

// distance is how many things about the pod or the group's nodes would have to be
// others. A group that is not served, of which no node is known, is far away.
func (v Verdict) distance() int {
	n := 0
	for _, o := range v.Obstacles {
		if misfits[o.Cause] {
			n++
		}
		if o.Cause == NotServed {
			n += 2
		}
	}
	return n
}

// answer finds the one thing that it comes down to.
func (f Facts) answer(e *Explanation, pod *corev1.Pod) {
	if claim := f.lacksClaim(pod); claim != "" {
		e.Cause = Volume
		e.Answer = fmt.Sprintf("It names the claim %s, which does not exist: until it does, neither the scheduler nor cluster-autoscaler can do anything for it.", claim)
		return
	}
	if node, ok := f.roomFor(pod); ok {
		if f.declines(e, pod, "node "+node.Name+" has room for it", readySince(node)) {
			return
		}
		e.Cause = HasRoom
		e.Answer = fmt.Sprintf("Node %s has room for it by its labels, taints and free resources: the scheduler is about to bind it, or has another reason not to, which is below.", node.Name)
		return
	}
	if len(f.Groups) == 0 {
		e.Cause, e.Answer = NoGroups, "No node groups are configured."
		return
	}
	nearest := e.Groups[0]
	if nearest.distance() > 0 {
		e.Cause, e.Answer = nearest.Obstacles[0].Cause, "No node group takes it. "+nearest.sentence("The nearest is")
		return
	}
	if g, n := f.onTheWay(e.Groups); n > 0 {
		e.Cause = OnTheWay
		e.Answer = fmt.Sprintf("%d nodes of group %s, on which it fits, are on their way.", n, g.Name)
		if n == 1 {
			e.Answer = fmt.Sprintf("A node of group %s, on which it fits, is on its way.", g.Name)
		}
		e.When = f.arrival(g)
		return
	}
	if cause, answer := f.unheard(); cause != "" {
		e.Cause, e.Answer = cause, answer
		return
	}
	if len(nearest.Obstacles) > 0 {
		e.Cause, e.Answer = nearest.Obstacles[0].Cause, nearest.sentence("It fits, but for now nothing grows for it. The nearest is")
		e.When = f.healed(nearest)
		return
	}
	if f.declines(e, pod, "group "+nearest.Group+" would take it", time.Time{}) {
		return
	}
	e.Cause = WillGrow
	e.Answer = fmt.Sprintf("Nothing stops group %s from growing for it: cluster-autoscaler is to ask for a node within some loops.", nearest.Group)
	if g := f.group(nearest.Group); g.Boot > 0 {
		e.When = fmt.Sprintf("A node of that group took %s to join of late.", age(g.Boot))
	}
}

// declines answers with cluster-autoscaler's word if that is newer than since: it knows
// of more than is looked at here, by which so far the sentence is true.
func (f Facts) declines(e *Explanation, pod *corev1.Pod, sofar string, since time.Time) bool {
	last := f.heard(pod)
	if len(last) == 0 || last[0].Reason != declined || f.Now.Sub(last[0].At) >= freshTime || !last[0].At.After(since) {
		return false
	}
	e.Cause = Declined
	e.Answer = fmt.Sprintf("By labels, taints, requests and volumes %s, but cluster-autoscaler said %s ago that it adds no node for it: %s.", sofar, age(f.Now.Sub(last[0].At)), last[0].Message)
	return true
}

// sentence tells of the group and all that stops it.
func (v Verdict) sentence(lead string) string {
	texts := make([]string, len(v.Obstacles))
	for n, o := range v.Obstacles {
		texts[n] = o.Text
	}
	return fmt.Sprintf("%s %s: %s.", lead, v.Group, strings.Join(texts, "; "))
}

// roomFor returns a node on which the pod could run now.
func (f Facts) roomFor(pod *corev1.Pod) (node corev1.Node, ok bool) {
	for _, node := range f.Nodes {
		if node.Spec.Unschedulable || !ready(node) || node.DeletionTimestamp != nil {
			continue
		}
		if len(f.misfit(pod, offer{node.Labels, node.Spec.Taints, free(node, f.Pods)})) == 0 {
			return node, true
		}
	}
	return corev1.Node{}, false
}

// onTheWay finds the first of the groups that fit with nodes that are still to join.
func (f Facts) onTheWay(verdicts []Verdict) (Group, int) {
	for _, v := range verdicts {
		if v.distance() > 0 {
			break
		}
		if g := f.group(v.Group); g.coming(f.Nodes) > 0 {
			return g, g.coming(f.Nodes)
		}
	}
	return Group{}, 0
}

func (f Facts) group(name string) Group {
	i := slices.IndexFunc(f.Groups, func(g Group) bool { return g.Name == name })
	return f.Groups[i]
}

// arrival says when a node that is on its way may be expected.
func (f Facts) arrival(g Group) string {
	if g.Boot == 0 {
		return "How long its nodes take to join has not been measured yet."
	}
	return fmt.Sprintf("Four of five nodes of the group join within %s; others that wait may come first.", age(g.Boot))
}

// unheard says why cluster-autoscaler may not act at all.
func (f Facts) unheard() (Cause, string) {
	switch silent := f.Now.Sub(f.Server.Taken); {
	case f.Server.NotReady != "":
		return ServerDown, fmt.Sprintf("buildpool is not ready, so no group grows: %s.", f.Server.NotReady)
	case f.Server.DryRun:
		return DryRun, "buildpool is in a dry run: it refuses every scale-up."
	case silent > silentTime:
		return NotCalled, fmt.Sprintf("cluster-autoscaler has not called for %s: does it run, and does it reach buildpool?", age(silent))
	}
	return "", ""
}

// healed says when the last of the group's obstacles that pass by themselves has passed.
func (f Facts) healed(v Verdict) string {
	g := f.group(v.Group)
	var last time.Time
	for _, t := range g.Troubles {
		if t.Until.After(last) {
			last = t.Until
		}
	}
	for _, o := range v.Obstacles {
		if o.Cause == AtMax {
			return "When a node of the group is free, or its max is raised."
		}
	}
	if last.After(f.Now) {
		return fmt.Sprintf("It may be tried again in %s.", age(last.Sub(f.Now)))
	}
	return ""
}
