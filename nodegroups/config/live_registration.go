package config

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The tags of a scaling group or its launch settings by which tools of the
// cluster-autoscaler family are told what the group's nodes register with.
const (
	labelTag = "k8s.io/cluster-autoscaler/node-template/label/"
	taintTag = "k8s.io/cluster-autoscaler/node-template/taint/"
)

// statement is what one source says that nodes register with.
type statement struct {
	source string
	Registration
}

// statements returns every source that says anything of labels or taints.
func statements(live cloudprovider.ScalingGroup, launch cloudprovider.Launch) []statement {
	var all []statement
	for _, s := range []statement{
		{"the user data of " + launch.Source, ParseUserData(launch.UserData)},
		{"the tags of scaling group " + live.ID, registrationTags(live.Tags)},
		{"the tags of " + launch.Source, registrationTags(launch.Tags)},
	} {
		if s.HasLabels || s.HasTaints {
			all = append(all, s)
		}
	}
	return all
}

// registrationTags reads node-template tags. A taint's value is "value:Effect".
func registrationTags(tags map[string]string) Registration {
	r := Registration{Labels: map[string]string{}}
	for _, tag := range sortedKeys(tags) {
		if key, ok := strings.CutPrefix(tag, labelTag); ok {
			r.HasLabels = true
			r.Labels[key] = tags[tag]
		}
		if key, ok := strings.CutPrefix(tag, taintTag); ok {
			r.HasTaints = true
			r.addTaints(key + "=" + tags[tag])
		}
	}
	return r
}

// compareRegistration holds the labels and taints of the file against what the
// nodes will register with.
func (s *subject) compareRegistration(live cloudprovider.ScalingGroup, launch cloudprovider.Launch) {
	sources := statements(live, launch)
	if len(sources) == 0 {
		s.warn("labels", fmt.Sprintf("cannot tell what nodes register with: the user data of %s sets neither --node-labels nor --register-with-taints", launch.Source), "make sure that the image or the cluster gives the nodes these labels and taints")
		return
	}
	missing := s.fail
	for _, source := range sources {
		for _, text := range source.Unclear {
			s.warn("labels", fmt.Sprintf("cannot read %q in %s", excerpt(text), source.source), "check it by hand")
			missing = s.warn // it may be what could not be read
		}
	}
	s.compareLabels(sources, missing)
	s.compareTaints(sources, missing)
}

// selfMade are labels that a node gets without its user data: from kubelet, the
// cloud-controller-manager or the GPU device plugin.
func selfMade(key string) bool { return kubeletLabels[key] || key == cloudprovider.LabelGPU }

func (s *subject) compareLabels(sources []statement, missing func(key, message, fix string)) {
	for _, key := range sortedKeys(s.group.Labels) {
		want, found := s.group.Labels[key], false
		field := entry("labels", key)
		if key == cloudprovider.LabelClass {
			field = "class"
		}
		for _, source := range sources {
			got, ok := source.Labels[key]
			found = found || ok
			if ok && got != want {
				s.fail(field, fmt.Sprintf("nodes register with %s=%s by %s, the file says %q", excerpt(key), excerpt(got), source.source, want), "make both the same")
			}
		}
		if !found && !selfMade(key) {
			missing(field, fmt.Sprintf("nodes do not register with the label %s=%s: builds that select it would never start", key, want), "add it to --node-labels in the user data of the launch settings")
		}
	}
}

// passing are taints that go away by themselves once a node works, or that
// cluster-autoscaler is told to overlook.
func passing(key string) bool {
	domain, _, _ := strings.Cut(key, "/")
	switch domain {
	case "node.cloudprovider.kubernetes.io", "node.kubernetes.io", "node.cilium.io",
		"startup-taint.cluster-autoscaler.kubernetes.io",
		"ignore-taint.cluster-autoscaler.kubernetes.io",
		"status-taint.cluster-autoscaler.kubernetes.io":
		return true
	}
	return false
}

func (s *subject) compareTaints(sources []statement, missing func(key, message, fix string)) {
	for i, want := range s.group.Taints {
		if !registered(sources, want) {
			missing(itemPath("taints", i), fmt.Sprintf("nodes do not register with the taint %s: other pods would take their place", spellTaint(want)), "add it to --register-with-taints in the user data of the launch settings")
		}
	}
	for _, source := range sources {
		for _, got := range source.Taints {
			if hasTaint(s.group.Taints, got) || passing(got.Key) {
				continue
			}
			report, effect := s.fail, "cluster-autoscaler would add nodes for builds that cannot run on them"
			if got.Effect == corev1.TaintEffectPreferNoSchedule {
				report, effect = s.warn, "the scheduler avoids such a node, which cluster-autoscaler does not know"
			}
			report("taints", fmt.Sprintf("nodes register with the taint %s by %s, which the file does not name: %s", excerpt(spellTaint(got)), source.source, effect), "add it to the group's taints, or take it out there")
		}
	}
}

func registered(sources []statement, want Taint) bool {
	for _, source := range sources {
		if hasTaint(source.Taints, want) {
			return true
		}
	}
	return false
}

func spellTaint(t Taint) string {
	if t.Value == "" {
		return t.Key + ":" + string(t.Effect)
	}
	return t.Key + "=" + t.Value + ":" + string(t.Effect)
}
