package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// OfGroup says whether a group can grow, what keeps it from it, what keeps it from
// shrinking, and what a pod has to bring along to land on it.
func OfGroup(f Facts, name string) (Explanation, error) {
	i := slices.IndexFunc(f.Groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		names := make([]string, len(f.Groups))
		for n, g := range f.Groups {
			names[n] = g.Name
		}
		return Explanation{}, fmt.Errorf("explain group %s: there is no such group (there are: %s)", name, strings.Join(names, ", "))
	}
	g := f.Groups[i]
	e := Explanation{Subject: "group " + name}
	v := Verdict{Group: name, Obstacles: g.hindered(f.Now)}
	switch cause, answer := f.unheard(); {
	case len(v.Obstacles) > 0:
		e.Cause, e.Answer = v.Obstacles[0].Cause, v.sentence("For now it is not to be counted on to grow:")
		e.When = f.healed(v)
	case cause != "":
		e.Cause, e.Answer = cause, answer
	default:
		e.Cause, e.Answer = CanGrow, fmt.Sprintf("It can grow: it has a target of %d and a max of %d.", g.Target, g.Max)
	}
	e.Notes = g.notes(f)
	return e, nil
}

// notes are the sentences about the group that are always true.
func (g Group) notes(f Facts) []string {
	if g.NotServed != "" {
		return nil
	}
	notes := []string{fmt.Sprintf("%s and %s; %s Ready.", plural(g.Running, "instance runs", "instances run"), plural(g.Creating, "is being created", "are being created"), plural(g.readyNodes(f.Nodes), "node is", "nodes are"))}
	if g.Failed > 0 {
		notes = append(notes, fmt.Sprintf("%s, and cluster-autoscaler has yet to give up on that.", plural(g.Failed, "instance could not be created", "instances could not be created")))
	}
	if lacking := g.Running - g.readyNodes(f.Nodes); lacking > 0 {
		notes = append(notes, fmt.Sprintf("%s without a Ready node: still booting, or its bootstrap fails. cluster-autoscaler gives up after --max-node-provision-time.", plural(lacking, "instance runs", "instances run")))
	}
	notes = append(notes, g.Reclaims...)
	if g.Min > 0 {
		notes = append(notes, fmt.Sprintf("It does not go below %s: %s.", plural(g.Min, "node", "nodes"), g.Floor))
	}
	if g.Template != nil {
		notes = append(notes, "A pod lands on it "+g.conditions()+".")
		waiting := 0
		for i := range f.Pods {
			if cause, _ := notWaiting(&f.Pods[i]); cause == "" && len(f.misfit(&f.Pods[i], offer{g.Template.Labels, g.Template.Taints, g.Template.Allocatable})) == 0 {
				waiting++
			}
		}
		notes = append(notes, plural(waiting, "pod waits that it would take", "pods wait that it would take")+".")
	}
	return notes
}

// conditions are what a pod has to ask for, and may at most.
func (g Group) conditions() string {
	var labels []string
	for _, key := range slices.Sorted(maps.Keys(g.Template.Labels)) {
		if !varying[key] {
			labels = append(labels, key+"="+g.Template.Labels[key])
		}
	}
	text := "with a node selector among " + strings.Join(labels, ", ")
	var taints []string
	for _, t := range g.Template.Taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule {
			taints = append(taints, t.ToString())
		}
	}
	if len(taints) > 0 {
		text += ", a toleration of " + strings.Join(taints, " and of ")
	}
	var most []string
	for _, name := range slices.Sorted(maps.Keys(g.Template.Allocatable)) {
		if name != corev1.ResourcePods {
			q := g.Template.Allocatable[name]
			most = append(most, fmt.Sprintf("%s of %s", q.String(), name))
		}
	}
	return text + ", and requests of at most " + strings.Join(most, ", ") + ", less what DaemonSets take"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
